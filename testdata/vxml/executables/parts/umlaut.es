var umlaut = 'ü';
