# Serves the pages, and ends at once when it is told to: a first process that sets no trap would
# not hear SIGTERM at all.
trap 'kill $!; exit 0' TERM
httpd -f -p "$PORT" -h /www &
wait $!
