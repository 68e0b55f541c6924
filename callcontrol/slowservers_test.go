package callcontrol_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"ccxmld/sitetest"
)

// TestASlowServerKeepsNoCallOut: what a session sends to a server that does not
// answer, and fetches from it, takes nothing from the documents of calls, even of
// those on that very server, nor from what other sessions send elsewhere.
func TestASlowServerKeepsNoCallOut(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("send.ccxml"), sitetest.AllowDocuments("http://slow", "http://fast"))
	asked := s.HandleSilently(map[string]string{"/hello.ccxml": `<ccxml version="1.0"><eventprocessor>
<transition event="connection.alerting"><log expr="'hello'"/><exit/></transition></eventprocessor></ccxml>`})
	s.Handle("fast", func(http.ResponseWriter, *http.Request) {})
	s.Document("send.ccxml", `<ccxml version="1.0"><var name="i"/><var name="all" expr="[]"/><script>for (i = 0; i &lt; 70; i++) all.push(i)</script><eventprocessor>
<transition event="ccxml.loaded">
 <foreach item="i" object="all"><send target="session.values.target" targettype="'basichttp'" name="'x'" namelist="i"/></foreach>
 <foreach item="i" object="all"><if cond="i &lt; 20"><fetch next="session.values.target + '/fetch' + i" type="'text/plain'" mode="'text'"/></if></foreach>
</transition>
<transition event="send.successful"><log expr="'sent elsewhere'"/></transition>
<transition event="error.*"><log expr="event$.name"/></transition>
</eventprocessor></ccxml>`)
	s.StartToken("target=http://slow")
	s.Next(asked)
	s.Dial("http://slow/hello.ccxml")
	s.WaitLog("hello")
	s.StartToken("target=http://fast")
	s.WaitLog("sent elsewhere")
}

// TestASlowServerKeepsNoPageOut: nor does it keep out the page of a call whose route is
// vxml:, whatever other dialogs wait for.
func TestASlowServerKeepsNoPageOut(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t, sitetest.WithToken("prepare.ccxml"), sitetest.AllowDocuments("http://slow"))
	asked := s.HandleSilently(map[string]string{
		"/hello.vxml": `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml" application="root.vxml"><form><block>Hello.</block></form></vxml>`,
		"/root.vxml":  `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"/>`,
	})
	s.Document("prepare.ccxml", `<ccxml version="1.0"><var name="i"/><var name="all" expr="[]"/><script>for (i = 0; i &lt; 70; i++) all.push(i)</script><eventprocessor>
<transition event="ccxml.loaded">
 <foreach item="i" object="all"><dialogprepare src="session.values.target + '/page' + i + '.vxml'" type="'application/voicexml+xml'"/></foreach>
</transition>
</eventprocessor></ccxml>`)
	s.StartToken("target=http://slow")
	for range 64 { // as many as one host is asked for at a time
		s.Next(asked)
	}
	caller := s.Dial("vxml:http://slow/hello.vxml")
	s.Must(caller.WaitHeard(s.Context(), "Hello."))
}

// TestSND14HTTPSendsKeepTheirOrder: what a session sends to one HTTP server comes
// there in the order in which it was sent, also over transitions, and is told of
// in that order, whether it fails or not. Another server is not held up.
func TestSND14HTTPSendsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	const many = 12
	var came []string
	s := sitetest.New(t, sitetest.WithToken("order.ccxml"), sitetest.AllowDocuments("http://web", "http://slow"))
	s.Handle("web", func(w http.ResponseWriter, r *http.Request) {
		n := r.FormValue("n")
		came = append(came, n)
		if strings.HasSuffix(n, "1") || strings.HasSuffix(n, "3") {
			http.Error(w, "no", http.StatusInternalServerError)
		}
	})
	asked := s.HandleSilently(nil)
	s.Document("order.ccxml", fmt.Sprintf(`<ccxml version="1.0"><var name="n"/><var name="told" expr="[]"/><var name="ids" expr="{}"/><var name="id"/>
<eventprocessor>
<transition event="ccxml.loaded">
 <send target="'%[2]s'" targettype="'basichttp'" name="'held'"/>
 <foreach item="n" object="[0,1,2,3,4,5]"><send target="'%[1]s'" targettype="'basichttp'" name="'x'" namelist="n" sendid="id"/><assign name="ids[id]" expr="n"/></foreach>
 <send target="session.id" targettype="'ccxml'" name="'more'"/>
</transition>
<transition event="more">
 <foreach item="n" object="[10,11,12,13,14,15]"><send target="'%[1]s'" targettype="'basichttp'" name="'x'" namelist="n" sendid="id"/><assign name="ids[id]" expr="n"/></foreach>
</transition>
<transition event="*" cond="ids[event$.sendid] !== undefined">
 <script>told.push(ids[event$.sendid] + (event$.name == 'send.successful' ? '' : '!'))</script>
 <if cond="told.length == %[3]d"><log expr="'told ' + told.join(' ')"/></if>
</transition>
</eventprocessor></ccxml>`, "http://web", "http://slow", many))
	s.StartToken("")
	s.Next(asked)
	s.WaitLog("told 0 1! 2 3! 4 5 10 11! 12 13! 14 15")
	if want := []string{"0", "1", "2", "3", "4", "5", "10", "11", "12", "13", "14", "15"}; !slices.Equal(came, want) {
		t.Errorf("they came as %v", came)
	}
}
