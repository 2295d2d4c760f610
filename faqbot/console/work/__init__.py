"""The work list of the day and its pages."""
