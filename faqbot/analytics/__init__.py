"""Statistics, reports, evaluation and suggestions from the questions asked."""
