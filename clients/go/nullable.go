package barque

import "encoding/json"

// Nullable is a field that can be left out, which it is at first, be null, or have a value.
type Nullable[T any] struct {
	value *T
	given bool
}

// Null makes a field null, which is something else than to leave it out.
func Null[T any]() Nullable[T] {
	return Nullable[T]{given: true}
}

// Value gives a field a value.
func Value[T any](value T) Nullable[T] {
	return Nullable[T]{value: &value, given: true}
}

// Get returns the value, or nil where there is none.
func (n Nullable[T]) Get() *T {
	return n.value
}

// IsZero tells whether the field is left out.
func (n Nullable[T]) IsZero() bool {
	return !n.given
}

// MarshalJSON writes the value, or null.
func (n Nullable[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(n.value)
}

// UnmarshalJSON reads a value, or null.
func (n *Nullable[T]) UnmarshalJSON(data []byte) error {
	n.given = true
	return json.Unmarshal(data, &n.value)
}
