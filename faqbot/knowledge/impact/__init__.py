"""Preview the impact of an edit on its own wordings, on regression questions and on past questions."""
