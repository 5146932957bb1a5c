"""The built-in rules, one file each. They import only the names that `nginxlint` exports, and never each other."""
