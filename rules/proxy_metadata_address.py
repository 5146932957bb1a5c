from nginxlint import (
    PASSES,
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Endpoint,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    Word,
    endpoints,
    note,
)

# The services that hand out the credentials of a machine. Sources: documentation of EC2, ECS, Google, Azure, Alibaba
# Cloud, Oracle Cloud and Tencent Cloud instance metadata.
_ADDRESSES = frozenset(
    "169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200 192.0.0.192 fd00:ec2::254 fd00:ec2::23".split()
)
_NAMES = frozenset("metadata.google.internal metadata.goog instance-data.ec2.internal metadata.tencentyun.com".split())


class ProxyMetadataAddress(Rule):
    """A pass leads to the metadata service of the cloud: whoever asks gets the credentials of this machine.

    169.254.169.254 and its like answer only the machine itself, without a password. Behind a `proxy_pass` every visitor
    is the machine. Take the location out, make it `internal`, or let in only who may read it (then it is a warning).
    Other link-local addresses (169.254.0.0/16, fe80::/10) are mentioned: services of the cloud live there, too.
    Source: documentation of the clouds' metadata services; the Capital One breach of 2019.
    """

    id = "proxy-metadata-address"
    group = "security"
    severity = Severity.ERROR
    directives = (*PASSES, "server")
    texts = ("169.254.", "fe80:", "100.100.100.200", "192.0.0.192", "fd00:ec2", "metadata", "instance-data", "$")
    examples = (
        Bad("location /meta/ { proxy_pass http://169.254.169.254/latest/; } # here"),
        Bad("location / { set $to metadata.google.internal; proxy_pass http://$to; } # here"),
        Bad("upstream m { server 169.254.169.254; }\nserver { location / { proxy_pass http://m; } } # here"),
        Bad("location /meta/ { allow 10.0.0.0/8; deny all; proxy_pass http://169.254.169.254; } # here"),
        Bad("location / { proxy_pass http://169.254.20.10:8080; } # here"),
        Good("location /meta/ { internal; proxy_pass http://169.254.169.254; }"),
        Good("location / { proxy_pass http://10.0.0.1; } # not 169.254.169.254"),
        Good("location / { proxy_pass http://app/metadata.json; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        hosts = {peer.host for group in config.upstreams for peer in group.peers}
        local = {host for host in hosts | {target.host for target in config.passes(*PASSES)} if _is_link_local(host)}
        groups = (
            {group for group in config.upstreams if any(peer.host in local for peer in group.peers)} if local else ()
        )
        for target in config.passes(*PASSES):
            named = target.has_variables or target.host in local
            if not named and (not groups or target.group(config) not in groups):
                continue
            for end in endpoints(config, target):
                if not _is_link_local(end.host):
                    continue
                location = config.location(target.directive)
                if location is not None and location.internal:
                    break
                yield self._finding(config, target.directive.args[0], end, location)
                break

    def _finding(self, config: Config, place: Word, end: Endpoint, location: Location | None) -> Diagnostic:
        host = end.host.strip("[]")
        credentials = host in _ADDRESSES or host in _NAMES
        limited = location is not None and config.scope(place.directive).is_restricted
        who = "whoever is let in here" if limited else "every visitor"
        return self.report(
            place,
            f"{who} can read the credentials of this machine: {host} is a metadata service"
            if credentials
            else f"{who} reaches {host}, which answers this machine only: metadata services live there",
            severity=Severity.ERROR if credentials and not limited else Severity.WARNING,
            confidence=Confidence.HIGH if credentials else Confidence.MEDIUM,
            related=() if end.directive is place.directive else (note(end.directive, "the address"),),
            help="take it out" + (", or write internal; in this location" if location is not None else ""),
        )


def _is_link_local(host: str) -> bool:
    host = host.strip("[]").lower()
    return host in _ADDRESSES or host in _NAMES or (host.startswith(("169.254.", "fe80:")) and not host[-1:].isalpha())
