package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/riverqueue/river"

	"interop/traces"
)

// seen is what a worker is given, told before it does anything.
type seen struct {
	Said     string   `json:"said"`
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`
	Queue    string   `json:"queue"`
	Payload  []byte   `json:"payload"`
	Attempt  int      `json:"attempt"`
	Most     int      `json:"attempts"`
	Priority int      `json:"priority"`
	Tags     []string `json:"tags"`
	Trace    string   `json:"trace,omitempty"`
}

type handler func(ctx context.Context, job *river.Job[raw]) error

// handlers does what a job's kind says; the Python side has the same kinds.
func handlers(log *os.File) *river.Workers {
	workers := river.NewWorkers()
	add := func(kind string, handle handler) {
		river.AddWorkerArgs(workers, raw{kind: kind}, river.WorkFunc(handle))
	}
	add("count", func(_ context.Context, job *river.Job[raw]) error {
		_, err := fmt.Fprintf(log, "%s\n", job.EncodedArgs)
		return err
	})
	add("twice", func(_ context.Context, job *river.Job[raw]) error {
		if _, err := fmt.Fprintf(log, "%s attempt %d\n", job.EncodedArgs, job.Attempt); err != nil || job.Attempt > 1 {
			return err
		}
		return errors.New("once more")
	})
	kinds := map[string]handler{
		"tick":   func(context.Context, *river.Job[raw]) error { return nil },
		"note":   func(context.Context, *river.Job[raw]) error { return nil },
		"order":  func(context.Context, *river.Job[raw]) error { return nil },
		"result": func(ctx context.Context, job *river.Job[raw]) error { return river.RecordOutput(ctx, text(job)) },
		"fail":   func(_ context.Context, job *river.Job[raw]) error { return errors.New(text(job)) },
		"revoke": func(_ context.Context, job *river.Job[raw]) error { return river.JobCancel(errors.New(text(job))) },
		"later":  func(context.Context, *river.Job[raw]) error { return river.JobSnooze(time.Hour) },
		"hold":   hold,
		"hold-once": func(ctx context.Context, job *river.Job[raw]) error {
			if job.Attempt > 1 {
				return nil
			}
			return hold(ctx, job)
		},
	}
	for kind, handle := range kinds {
		add(kind, func(ctx context.Context, job *river.Job[raw]) error {
			say(what(job))
			return handle(ctx, job)
		})
	}
	return workers
}

func what(job *river.Job[raw]) seen {
	id := strconv.FormatInt(job.ID, 10)
	return seen{
		"seen", id, job.Kind, job.Queue, job.EncodedArgs, job.Attempt, job.MaxAttempts, job.Priority, job.Tags,
		traces.Follow(sent(job)),
	}
}

// sent reads the words at the top of a job's metadata, where River's users keep what is sent along with it.
func sent(job *river.Job[raw]) map[string]string {
	var metadata map[string]any
	if err := json.Unmarshal(job.Metadata, &metadata); err != nil {
		return nil
	}
	words := map[string]string{}
	for name, value := range metadata {
		if word, is := value.(string); is {
			words[name] = word
		}
	}
	return words
}

// text reads the argument {"text": …}.
func text(job *river.Job[raw]) string {
	var args struct{ Text string }
	if err := json.Unmarshal(job.EncodedArgs, &args); err != nil {
		return err.Error()
	}
	return args.Text
}

// hold waits until it is told to stop.
func hold(ctx context.Context, job *river.Job[raw]) error {
	<-ctx.Done()
	say(map[string]string{"said": "let go", "id": strconv.FormatInt(job.ID, 10), "why": context.Cause(ctx).Error()})
	return ctx.Err()
}
