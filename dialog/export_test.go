package dialog

// SetMost sets how much a service may do in the background.
func (s *Service) SetMost(n int) { s.most = n }
