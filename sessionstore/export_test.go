package sessionstore

// ClientOptions is open to the fuzz test.
var ClientOptions = clientOptions
