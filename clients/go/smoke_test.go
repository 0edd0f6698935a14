// Walks through a real platform, whose address and key are in BARQUE_URL and BARQUE_KEY.
package barque_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	barque "barque/clients/go"
)

const (
	project = "shop"
	env     = "production"
	svc     = "api"
)

// shop is a platform with an organization of this test, which has one service.
type shop struct {
	*barque.Client
	org string
}

func TestTheClient(t *testing.T) {
	ctx := t.Context()
	s := open(t, ctx)
	t.Run("a service is shown, and what is null is nil", func(t *testing.T) { s.shows(t, ctx) })
	t.Run("config is resolved over its levels", func(t *testing.T) { s.resolves(t, ctx) })
	t.Run("a list is read page by page", func(t *testing.T) { s.pages(t, ctx) })
	t.Run("an error says what is wrong", func(t *testing.T) { s.refuses(t, ctx) })
	t.Run("what was made is deleted", func(t *testing.T) { s.closes(t, ctx) })
}

func open(t *testing.T, ctx context.Context) shop {
	server, key := os.Getenv("BARQUE_URL"), os.Getenv("BARQUE_KEY")
	if server == "" || key == "" {
		t.Fatal("BARQUE_URL and BARQUE_KEY say which platform to try")
	}
	random := make([]byte, 6)
	rand.Read(random)
	s := shop{barque.New(server, key), "go-" + hex.EncodeToString(random)}
	made, err := s.CreateOrg(ctx, barque.NewOrganization{Name: s.org})
	check(t, err)
	equal(t, made.Slug, s.org)
	_, err = s.CreateProject(ctx, s.org, barque.NewProject{Name: "Shop"})
	check(t, err)
	_, err = s.CreateEnvironment(ctx, s.org, project, barque.NewEnvironment{
		Name: "Production", EnvType: barque.Ptr("production"),
	})
	check(t, err)
	_, err = s.CreateService(ctx, s.org, project, env, barque.NewService{
		Name: "API", Platform: "wind", AutoDeployBranch: barque.Value("main"),
	})
	check(t, err)
	return s
}

func (s shop) shows(t *testing.T, ctx context.Context) {
	shown, err := s.GetService(ctx, s.org, project, env, svc)
	check(t, err)
	equal(t, shown.Slug, svc)
	equal(t, shown.LatestImage, nil)
	equal(t, shown.ProcessCounts, map[string]int64{"web": 1})
	equal(t, *shown.AutoDeployBranch, "main")
	if shown.Created.IsZero() {
		t.Fatal("a service has no moment of its making")
	}
	change := barque.ChangedService{AutoDeployBranch: barque.Null[string]()}
	changed, err := s.UpdateService(ctx, s.org, project, env, svc, change)
	check(t, err)
	equal(t, changed.AutoDeployBranch, nil)
	listed, err := s.ListServices(ctx, s.org, project, env)
	check(t, err)
	equal(t, len(listed), 1)
	equal(t, listed[0].Id, shown.Id)
}

func (s shop) resolves(t *testing.T, ctx context.Context) {
	_, err := s.SetOrgConfig(ctx, s.org, barque.NewVariable{Name: "LEVEL", Value: "low"})
	check(t, err)
	for _, variable := range []barque.NewVariable{
		{Name: "LEVEL", Value: "high"},
		{Name: "TOKEN", Value: "hidden", Secret: barque.Ptr(true)},
	} {
		_, err = s.SetServiceConfig(ctx, s.org, project, env, svc, variable)
		check(t, err)
	}
	resolved, err := s.GetResolvedServiceConfig(ctx, s.org, project, env, svc)
	check(t, err)
	equal(t, resolved, []barque.ResolvedView{
		{Name: "LEVEL", Value: barque.Ptr("high"), Scope: "service", Overrides: []string{"org"}},
		{Name: "TOKEN", Secret: true, Scope: "service", Overrides: []string{}},
	})
}

func (s shop) pages(t *testing.T, ctx context.Context) {
	var rows []barque.AuditRow
	for page, pages := int64(1), int64(2); page <= pages; page++ {
		found, err := s.ListAudit(ctx, s.org, barque.ListAuditParams{
			Page: &page, PerPage: barque.Ptr[int64](2),
		})
		check(t, err)
		if len(found.Items) > 2 {
			t.Fatalf("a page of 2 holds %d", len(found.Items))
		}
		pages = found.Pagination.Pages
		rows = append(rows, found.Items...)
	}
	if len(rows) <= 4 {
		t.Fatalf("only %d changes are known", len(rows))
	}
	equal(t, rows[len(rows)-1].Action, "org.create")
}

func (s shop) refuses(t *testing.T, ctx context.Context) {
	_, err := s.CreateService(ctx, s.org, project, env, barque.NewService{
		Name: "Slow", Platform: "wind", DeploymentTimeout: barque.Ptr[int64](0),
	})
	said := refusal(t, err, http.StatusUnprocessableEntity)
	equal(t, said.Errors[0].Field, "deployment_timeout")
	// The head of a gzip file, and no more.
	cut := strings.NewReader("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
	_, err = s.UploadSource(ctx, s.org, project, env, svc, cut, barque.UploadSourceParams{})
	said = refusal(t, err, http.StatusUnprocessableEntity)
	equal(t, said.Errors[0].Field, "body")
	contains(t, said.Message, "cut short")
	_, err = barque.New(os.Getenv("BARQUE_URL"), "barque_wrong").Whoami(ctx)
	contains(t, refusal(t, err, http.StatusUnauthorized).Message, "key")
}

func (s shop) closes(t *testing.T, ctx context.Context) {
	check(t, s.DeleteOrg(ctx, s.org, barque.DeleteOrgParams{Cascade: barque.Ptr(true)}))
	_, err := s.GetOrg(ctx, s.org)
	equal(t, len(refusal(t, err, http.StatusNotFound).Errors), 0)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t *testing.T, found, wanted T) {
	t.Helper()
	if !reflect.DeepEqual(found, wanted) {
		t.Fatalf("found %v, wanted %v", found, wanted)
	}
}

func contains(t *testing.T, text, wanted string) {
	t.Helper()
	if !strings.Contains(text, wanted) {
		t.Fatalf("found %q, wanted %q in it", text, wanted)
	}
}

func refusal(t *testing.T, err error, status int64) *barque.ErrorAnswer {
	t.Helper()
	var said *barque.ErrorAnswer
	if !errors.As(err, &said) {
		t.Fatalf("found %v, wanted an answer with status %d", err, status)
	}
	equal(t, said.Status, status)
	return said
}
