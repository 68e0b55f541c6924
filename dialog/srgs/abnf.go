package srgs

import "errors"

func (c *compilation) abnf(d *document, source Source) error { return errors.New("not yet") }
