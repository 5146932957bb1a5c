from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, decoded_path, respelled

_WHY = {"encoded": "nginx decodes the path", "dots": "nginx merges slashes and follows dots in the path"}


class LocationEncoded(Rule):
    """A prefix or exact location is written as browsers send paths: nginx compares it with the decoded path.

    `%20` in a request is a space when locations are searched, `//` is one slash, and `/../` is gone. A location with
    `%20`, `//` or `/./` in it therefore never gets the requests it is written for. Write the characters themselves, in
    quotes where needed: `location "/my files/"`. Silent on slashes and dots where `merge_slashes` or a `rewrite`
    may make such paths.
    Source: ngx_http_parse_complex_uri; documentation of location.
    """

    id = "location-encoded"
    group = "correctness"
    directives = ("location",)
    judges = "dead_prefixes"
    examples = (
        Bad("location /my%20files/ { root /srv; } # here", 'location "/my files/" { root /srv; } # here'),
        Bad("location = /caf%C3%A9 { root /srv; } # here", "location = /café { root /srv; } # here"),
        Bad("location ^~ //api/ { root /srv; } # here", "location ^~ /api/ { root /srv; } # here"),
        Bad("location /a/../b/ { root /srv; } # here", "location /b/ { root /srv; } # here"),
        Good('location "/my files/" { root /srv; } location /100% { root /srv; } location /a%zz { root /srv; }'),
        Good("location ~ %20 { return 404; } location /.well-known/ { root /srv; } location /..a { root /srv; }"),
        Good("location /. { deny all; } location ^~ /.. { deny all; } location /a/. { deny all; }"),
        Bad("location = /a/. { deny all; } # here", "location = /a/ { deny all; } # here"),
        Good("merge_slashes off; location //api/ { root /srv; }"),
        Good("location / { rewrite ^/(.*)$ /x/$1; } location /x//api/ { root /srv; }"),
        Good("location / { rewrite ^ $request_uri; } location /my%20files/ { root /srv; }"),
        Good("location /%PATH%/ { root /srv; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for dead in config.dead_prefixes:
            path = decoded_path(dead.pattern) if dead.kind in _WHY else None
            if path is not None:
                yield self.report(
                    dead.block,
                    f'requests for {dead.pattern} do not get here: {_WHY[dead.kind]}, and looks for "{path}"',
                    respelled(dead, dead.modifier, path),
                    help=f'write location "{path}"',
                )
