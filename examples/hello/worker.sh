# Writes a line now and then, and ends when it is told to.
trap 'echo "the worker ends"; kill $!; exit 0' TERM
while :; do
    echo "the worker is at work in release $BARQUE_RELEASE"
    sleep 5 &
    wait $!
done
