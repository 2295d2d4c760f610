"""Access control: which entries a person may see, which commands they may give, what is not stored."""
