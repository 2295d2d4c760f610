"""Questions handed to a person as tickets: asking the owners, their answers, and who is told of them."""
