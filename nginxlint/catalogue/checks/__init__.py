"""The directives' own parsers, one module per family, as nginx's setters judge them.

Each module has `CHECKS`, from "context:name" or "name" to a function (directive, context) that yields refusals, called
after the generic check of that directive passed; and where needed `BLOCK_END`, from a block's "context:name" or "name"
(context = where the block stands) to a function (block, context), called after everything inside the block.

What a check needs of the context: `context.target` (version, plus, modules), `context.name` (the catalogue's name of the
context the directive stands in, e.g. "location") and `context.memory`, a dict that lives for one run, in which modules
keep what has been declared so far ("listen", "upstreams", …: each key belongs to one module).
"""
