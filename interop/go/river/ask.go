package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// request is one line of standard input: what to call, and with what.
type request struct {
	Call    string `json:"call"`
	Job     job    `json:"job"`
	Count   int    `json:"count"`
	Queue   string `json:"queue"`
	ID      string `json:"id"`
	Up      bool   `json:"up"`
	Version int    `json:"version"`
}

type reply struct {
	Answer any    `json:"answer"`
	Error  string `json:"error"`
}

// peer holds what requests are answered with.
type peer struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
}

func ask(pool *pgxpool.Pool, _ []string) error {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: quiet()})
	if err != nil {
		return err
	}
	p := peer{pool, client}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("a request that is no request: %w", err)
		}
		answer, err := p.answer(context.Background(), r)
		if err != nil {
			say(reply{Error: err.Error()})
		} else {
			say(reply{Answer: answer})
		}
	}
	return lines.Err()
}

func (p peer) answer(ctx context.Context, r request) (any, error) {
	switch r.Call {
	case "enqueue":
		return p.enqueue(ctx, r.Job)
	case "enqueue_many":
		return p.enqueueMany(ctx, r)
	case "pause":
		return nil, p.client.QueuePause(ctx, r.Queue, nil)
	case "resume":
		return nil, p.client.QueueResume(ctx, r.Queue, nil)
	case "queue":
		return p.client.QueueGet(ctx, r.Queue)
	case "request_resign":
		return nil, p.client.Notify().RequestResign(ctx)
	case "migrate", "validate":
		return migrate(ctx, p.pool, r)
	}
	return p.manage(ctx, r)
}

// manage acts on one job, and shows what it is then.
func (p peer) manage(ctx context.Context, r request) (any, error) {
	id, err := strconv.ParseInt(r.ID, 10, 64)
	if err != nil {
		return nil, err
	}
	switch r.Call {
	case "job":
		return p.client.JobGet(ctx, id)
	case "cancel":
		return p.client.JobCancel(ctx, id)
	case "retry":
		return p.client.JobRetry(ctx, id)
	case "delete":
		return p.client.JobDelete(ctx, id)
	}
	return nil, fmt.Errorf("there is no call %q", r.Call)
}

func (p peer) enqueue(ctx context.Context, j job) (any, error) {
	args, err := j.args()
	if err != nil {
		return nil, err
	}
	inserted, err := p.client.Insert(ctx, args, j.options())
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"id":        strconv.FormatInt(inserted.Job.ID, 10),
		"state":     inserted.Job.State,
		"duplicate": inserted.UniqueSkippedAsDuplicate,
	}, nil
}

// enqueueMany inserts jobs whose arguments are their numbers, from ID's on.
func (p peer) enqueueMany(ctx context.Context, r request) (any, error) {
	var many []river.InsertManyParams
	for n := range r.Count {
		args := raw{r.Job.Kind, fmt.Appendf(nil, `{"n": "%s%d"}`, r.ID, n)}
		many = append(many, river.InsertManyParams{Args: args, InsertOpts: r.Job.options()})
	}
	return p.client.InsertManyFast(ctx, many)
}
