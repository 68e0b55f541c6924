package dialog

// SetMost sets how much a service may do in the background.
func (s *Service) SetMost(n int) { s.most = n }

// SetMostUploads sets how many recordings a service may upload at a time.
func (s *Service) SetMostUploads(n int) { s.uploads = n }
