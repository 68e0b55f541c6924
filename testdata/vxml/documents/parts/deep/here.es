function here() { return 'here'; }
