collect_ignore_glob = ["*"]  # these workflows have tests of their own
