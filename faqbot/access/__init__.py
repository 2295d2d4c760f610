"""Access control: visibility of entries, authorization of commands, privacy of questions; pure."""
