"""Preview what an edit would change: for its own wordings, for saved questions and for questions people asked."""
