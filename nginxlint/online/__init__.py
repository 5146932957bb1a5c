"""The online stage: what nginx would meet at every upstream, asked of the network and judged by nginx's own rules."""
