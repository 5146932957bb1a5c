"""The directives' own parsers, one module per family, as nginx's setters judge them.

A family module has `CHECKS`, from a key to a function (directive, context) that yields refusals, called after the
generic check of that directive passed; and where needed `BLOCK_END`, from a context name (http, server, location,
upstream, stream-server, …, main) to a function (block, context), called after everything inside the block.
A key is the directive's name, or "place:name" / "subsystem:name" ("upstream:server", "stream:proxy_pass") where the
name means another thing there: the most specific key wins, a plain name holds everywhere else.

A family may name keys in `PURE: frozenset[str]`: the outcome hangs on the arguments alone. What passed once is then not
asked again. Where it does not, `ALL_FINE` may have a function for a key that says of all directives of the name at once
(one for each of their different arguments) whether they pass and nothing has to be remembered of them: of a thousand
`server_name` that is one question. `ALL_END_WELL` may have one for a context, which says whether nothing is found at the
end of any block there. `ENDS_OF_OWN` names the contexts at whose end a family finds only what its own checks
have remembered: where none of them was asked, it is not imported. `owners.py` says which family (or families) to import
for which directive; `python tools/catalogue/list_checks.py` writes it anew.
"""
