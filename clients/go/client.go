// Package barque is a client of the API of a Barque platform.
//
// Each operation of the API is a method of Client. Its errors are of type *ErrorAnswer
// where the platform answered, and those of net/http where it did not.
package barque

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Moment is a moment, with its time zone.
type Moment = time.Time

// Source is what an upload is read from.
type Source = io.Reader

// Client calls one platform, with one API key. It may be used by many goroutines at once.
type Client struct {
	server string
	key    string
	// HTTP is what requests go through; set it for time-outs, retries or proxies of your own.
	HTTP *http.Client
}

// New makes a client of the platform at server, such as "https://barque.example.org".
func New(server, key string) *Client {
	return &Client{server: strings.TrimRight(server, "/"), key: key, HTTP: http.DefaultClient}
}

// Error says what the platform refused, and what to do about it.
func (e *ErrorAnswer) Error() string {
	return fmt.Sprintf("%s (status %d)", e.Message, e.Status)
}

// Ptr points to a value, for parameters and fields that may be left out.
func Ptr[T any](value T) *T {
	return &value
}

// request is one call of the API on its way.
type request struct {
	method string
	path   string
	query  url.Values
	header http.Header
	body   any
}

// at puts a value in its place in the path.
func (r *request) at(name string, value any) {
	r.path = strings.ReplaceAll(r.path, "{"+name+"}", url.PathEscape(fmt.Sprint(value)))
}

// ask adds a parameter to the query, if there is one.
func (r *request) ask(name string, value any) {
	if text, given := written(value); given {
		if r.query == nil {
			r.query = url.Values{}
		}
		r.query.Set(name, text)
	}
}

// head adds a header, if there is one.
func (r *request) head(name string, value any) {
	if text, given := written(value); given {
		if r.header == nil {
			r.header = http.Header{}
		}
		r.header.Set(name, text)
	}
}

// written renders a parameter, and tells whether it was given.
func written(value any) (string, bool) {
	switch given := value.(type) {
	case *string:
		return deref(given)
	case *bool:
		return deref(given)
	case *int64:
		return deref(given)
	case *Moment:
		if given == nil {
			return "", false
		}
		return given.Format(time.RFC3339Nano), true
	default:
		return fmt.Sprint(value), true
	}
}

func deref[T any](value *T) (string, bool) {
	if value == nil {
		return "", false
	}
	return fmt.Sprint(*value), true
}

// answer sends a request and decodes what comes back as T.
func answer[T any](ctx context.Context, c *Client, r request) (T, error) {
	var value, none T
	if err := c.send(ctx, r, &value); err != nil {
		return none, err
	}
	return value, nil
}

// send sends a request and decodes what comes back into value, unless that is nil.
func (c *Client) send(ctx context.Context, r request, value any) error {
	prepared, err := c.prepare(ctx, r)
	if err != nil {
		return err
	}
	response, err := c.HTTP.Do(prepared)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return refusal(response.StatusCode, body)
	}
	if text, ok := value.(*string); ok {
		*text = string(body)
		return nil
	}
	if value == nil {
		return nil
	}
	return json.Unmarshal(body, value)
}

func (c *Client) prepare(ctx context.Context, r request) (*http.Request, error) {
	body, kind, err := payload(r.body)
	if err != nil {
		return nil, err
	}
	address := c.server + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	prepared, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, err
	}
	if r.header != nil {
		prepared.Header = r.header
	}
	prepared.Header.Set("Accept", "application/json, text/plain, text/html")
	prepared.Header.Set("X-API-Key", c.key)
	if kind != "" {
		prepared.Header.Set("Content-Type", kind)
	}
	return prepared, nil
}

// payload turns a body into what goes over the wire, and its type.
func payload(body any) (io.Reader, string, error) {
	if body == nil {
		return nil, "", nil
	}
	if source, ok := body.(Source); ok {
		return source, "application/octet-stream", nil
	}
	encoded, err := json.Marshal(body)
	return bytes.NewReader(encoded), "application/json", err
}

// refusal reads an error of the platform, or makes one of whatever answered in its place.
func refusal(status int, body []byte) error {
	said := &ErrorAnswer{}
	if json.Unmarshal(body, said) != nil || said.Message == "" {
		return &ErrorAnswer{Status: int64(status), Message: http.StatusText(status)}
	}
	return said
}
