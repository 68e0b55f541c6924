package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ccxmld/api"
	"ccxmld/operator"
)

// askPatience bounds how long a command waits for an answer.
const askPatience = 30 * time.Second

// console is a controller's API, and where its answers are shown.
type console struct {
	url, keyFile string
	asJSON       bool
	out, errors  io.Writer
}

// operateCommands are the commands that ask a running site by the operators' API.
func operateCommands() []*cobra.Command {
	return []*cobra.Command{sessionsCommand(), callsCommand(), conferencesCommand()}
}

// newOperateCommand is a command whose flags say where the API is.
func newOperateCommand(use, short string, do func(*console, context.Context) error) (*cobra.Command, *console) {
	c := &console{}
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		Long: short + `. Any controller of the site is asked, by the API of docs/api.md, with the key in
the file --key-file names, or in the variable CCXMLD_KEY; none is needed on the machine of a
controller for which no operators are named.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.out, c.errors = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return do(c, cmd.Context())
		},
	}
	cmd.PersistentFlags().StringVar(&c.url, "url", cmp.Or(os.Getenv("CCXMLD_URL"), "http://127.0.0.1:9999"), "a controller's http.listen, also CCXMLD_URL")
	cmd.PersistentFlags().StringVar(&c.keyFile, "key-file", "", "a file with the operator's key")
	cmd.PersistentFlags().BoolVar(&c.asJSON, "json", false, "answer as the API does")
	return cmd, c
}

// on adds what is done with one thing, which the command's argument names.
func on(parent *cobra.Command, c *console, use, short string, do func(ctx context.Context, id string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.out, c.errors = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return do(cmd.Context(), args[0])
		},
	}
	parent.AddCommand(cmd)
	return cmd
}

func sessionsCommand() *cobra.Command {
	var query struct{ document, state string }
	cmd, c := newOperateCommand("sessions", "List the sessions of the site", func(c *console, ctx context.Context) error {
		return listAll(ctx, c, "/v1/sessions", url.Values{"document": {query.document}, "state": {query.state}},
			"SESSION\tSTARTED\tSTATE\tCALLS\tCONTROLLER\tDOCUMENT", func(s operator.Session) []any {
				return []any{s.ID, s.Started.Local().Format(time.TimeOnly), cmp.Or(s.State, "-"), len(s.Connections), s.Controller, s.Document}
			})
	})
	cmd.Flags().StringVar(&query.document, "document", "", "those in a document whose URI has this in it")
	cmd.Flags().StringVar(&query.state, "state", "", "those in this state")
	on(cmd, c, "show SESSION", "Show all of one session", func(ctx context.Context, id string) error {
		return c.show(ctx, "/v1/sessions/"+url.PathEscape(id))
	})
	var unconditional bool
	end := on(cmd, c, "end SESSION", "End a session", func(ctx context.Context, id string) error {
		return c.change(ctx, http.MethodDelete, fmt.Sprintf("/v1/sessions/%s?unconditional=%v", url.PathEscape(id), unconditional), nil)
	})
	end.Flags().BoolVar(&unconditional, "unconditional", false, "past its document, which otherwise gets ccxml.kill")
	return cmd
}

func callsCommand() *cobra.Command {
	var query struct{ number, state string }
	cmd, c := newOperateCommand("calls", "List the calls of the site", func(c *console, ctx context.Context) error {
		return listAll(ctx, c, "/v1/calls", url.Values{"number": {query.number}, "state": {query.state}},
			"CALL\tSTATE\tWAY\tLOCAL\tREMOTE\tNODE\tSESSION", func(call operator.Call) []any {
				return []any{call.ID, call.State, call.Direction, cmp.Or(call.Local, "-"), cmp.Or(call.Remote, "-"), cmp.Or(call.Node, "-"), call.Session}
			})
	})
	cmd.Flags().StringVar(&query.number, "number", "", "those with a party whose address has this in it")
	cmd.Flags().StringVar(&query.state, "state", "", "those in this state, such as CONNECTED")
	on(cmd, c, "show CALL", "Show one call", func(ctx context.Context, id string) error {
		return c.show(ctx, "/v1/calls/"+url.PathEscape(id))
	})
	var cause string
	hangup := on(cmd, c, "hangup CALL", "Hang a call up", func(ctx context.Context, id string) error {
		return c.change(ctx, http.MethodDelete, "/v1/calls/"+url.PathEscape(id)+"?cause="+url.QueryEscape(cause), nil)
	})
	hangup.Flags().StringVar(&cause, "cause", "NORMAL_CLEARING", "the hangup cause, by FreeSWITCH's name")
	return cmd
}

func conferencesCommand() *cobra.Command {
	cmd, c := newOperateCommand("conferences", "List the conferences of the site", func(c *console, ctx context.Context) error {
		return listAll(ctx, c, "/v1/conferences", nil, "CONFERENCE\tMEMBERS\tNODE\tCONTROLLER", func(conference operator.Conference) []any {
			return []any{conference.ID, conference.Members, cmp.Or(conference.Node, "-"), conference.Controller}
		})
	})
	on(cmd, c, "show CONFERENCE", "Show a conference, and who is in it", func(ctx context.Context, id string) error {
		return c.show(ctx, "/v1/conferences/"+url.PathEscape(id))
	})
	var call string
	var off bool
	mute := on(cmd, c, "mute CONFERENCE", "Let a member not be heard", func(ctx context.Context, id string) error {
		return c.change(ctx, http.MethodPatch, "/v1/conferences/"+url.PathEscape(id)+"/members/"+url.PathEscape(call), map[string]bool{"muted": !off})
	})
	mute.Flags().StringVar(&call, "call", "", "the member's call")
	mute.Flags().BoolVar(&off, "off", false, "let the member be heard again")
	_ = mute.MarkFlagRequired("call") // the flag is there
	return cmd
}

// key is the operator's, "" for none.
func (c *console) key() (string, error) {
	if c.keyFile == "" {
		return os.Getenv("CCXMLD_KEY"), nil
	}
	text, err := os.ReadFile(c.keyFile)
	return strings.TrimSpace(string(text)), err
}

// ask makes a request, and gives the body of an answer that is a success.
func (c *console) ask(ctx context.Context, method, path string, argument any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	var body io.Reader
	if argument != nil {
		text, err := json.Marshal(argument)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.url, "/")+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	key, err := c.key()
	if err != nil {
		return nil, err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: does ccxmld run there? --url says where", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = refusal(response.Status, text)
	}
	return text, err
}

// refusal is what an answer says that is no success (RFC 9457).
func refusal(status string, text []byte) error {
	var problem struct {
		Detail string
		Errors []struct{ Message, Location string }
	}
	if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
		return fmt.Errorf("%s: %.300s", status, strings.TrimSpace(string(text)))
	}
	for _, e := range problem.Errors {
		problem.Detail += "; " + e.Location + ": " + e.Message
	}
	return errors.New(problem.Detail)
}

// show shows one thing, all of it.
func (c *console) show(ctx context.Context, path string) error {
	text, err := c.ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.out, strings.TrimSpace(indented.String()))
	return err
}

// change asks for a change.
func (c *console) change(ctx context.Context, method, path string, argument any) error {
	_, err := c.ask(ctx, method, path, argument)
	return err
}

// listAll shows all items of a list, a line each; as JSON one document each.
func listAll[T any](ctx context.Context, c *console, path string, query url.Values, heading string, columns func(T) []any) error {
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	if !c.asJSON {
		fmt.Fprintln(table, heading)
	}
	for name, value := range query {
		if value[0] == "" {
			delete(query, name)
		}
	}
	if query == nil {
		query = url.Values{}
	}
	for more := true; more; {
		text, err := c.ask(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		var page api.List[json.RawMessage]
		if err := json.Unmarshal(text, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			if c.asJSON {
				fmt.Fprintln(c.out, string(item))
				continue
			}
			var one T
			if err := json.Unmarshal(item, &one); err != nil {
				return err
			}
			row := columns(one)
			fmt.Fprintf(table, strings.TrimSuffix(strings.Repeat("%v\t", len(row)), "\t")+"\n", row...)
		}
		for _, controller := range page.Unreachable {
			fmt.Fprintf(c.errors, "controller %s did not answer; what it has is missing\n", controller)
		}
		query.Set("after", page.Next)
		more = page.Next != ""
	}
	return table.Flush()
}
