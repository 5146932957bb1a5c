"""What the lexer can find, and its limits, as pages."""

from __future__ import annotations

# What the lexer can find: id → sentence for `nginxlint explain`.
SYNTAX_RULES = {
    "semicolon-missing": "A directive is not ended by a semicolon: nginx reads on and takes the next one for arguments.",
    "braces-unmatched": "A block is never closed, or a closing brace closes nothing.",
    "quote-unclosed": "A quote is opened and not closed: nginx reads on to the next quote, often many lines below.",
    "unexpected-character": "A character stands where nginx expects something else.",
    "regex-brace-unquoted": "An unquoted { in a regular expression opens a block. Put the expression in quotes.",
    "argument-too-long": "nginx reads an argument, or a comment, of at most 4,095 bytes.",
    "nesting-too-deep": "More blocks inside each other than nginxlint reads: a limit of ours, nginx may accept it.",
    "not-a-configuration": "A template of another language, or so many syntax errors that this is hardly an nginx configuration.",
}

# Limits of ours that a configuration can reach.
LIMITS = {
    "analysis-limited": "A part of the analysis was stopped because it took too long: what it would say is missing.",
}
