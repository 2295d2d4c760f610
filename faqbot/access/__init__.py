"""Access control: visible entries, permitted commands, questions that are not stored; pure."""
