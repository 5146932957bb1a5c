"""What stops us and the user can mend: a missing path, bad settings, a broken plugin. The CLI prints it and exits 2."""


class NginxlintError(Exception):
    """The message is a sentence a person can act on."""
