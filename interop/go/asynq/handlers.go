package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/hibiken/asynq"

	"interop/traces"
)

// seen is what a handler is given, told before it does anything.
type seen struct {
	Said    string            `json:"said"`
	ID      string            `json:"id"`
	Kind    string            `json:"kind"`
	Queue   string            `json:"queue"`
	Payload []byte            `json:"payload"`
	Headers map[string]string `json:"headers"`
	Attempt int               `json:"attempt"`
	Most    int               `json:"attempts"`
	Left    float64           `json:"seconds_left"`
	Trace   string            `json:"trace,omitempty"`
}

// handlers does what a job's kind says; the Python side has the same kinds.
func handlers(log *os.File) *asynq.ServeMux {
	mux := asynq.NewServeMux()
	mux.HandleFunc("count", func(_ context.Context, t *asynq.Task) error {
		_, err := fmt.Fprintf(log, "%s\n", t.Payload())
		return err
	})
	mux.HandleFunc("twice", func(ctx context.Context, t *asynq.Task) error {
		retried, _ := asynq.GetRetryCount(ctx)
		if _, err := fmt.Fprintf(log, "%s attempt %d\n", t.Payload(), retried+1); err != nil || retried > 0 {
			return err
		}
		return errors.New("once more")
	})
	mux.HandleFunc("pull-the-plug", func(ctx context.Context, _ *asynq.Task) error {
		if retried, _ := asynq.GetRetryCount(ctx); retried > 0 {
			return nil
		}
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	})
	kinds := map[string]asynq.HandlerFunc{
		"tick":   func(context.Context, *asynq.Task) error { return nil },
		"note":   func(context.Context, *asynq.Task) error { return nil },
		"result": result,
		"fail":   func(_ context.Context, t *asynq.Task) error { return errors.New(text(t)) },
		"give-up": func(_ context.Context, t *asynq.Task) error {
			return fmt.Errorf("%s: %w", text(t), asynq.SkipRetry)
		},
		"revoke": func(_ context.Context, t *asynq.Task) error { return fmt.Errorf("%s: %w", text(t), asynq.RevokeTask) },
		"panic":  func(_ context.Context, t *asynq.Task) error { panic(text(t)) },
		"fail-once": func(ctx context.Context, t *asynq.Task) error {
			if retried, _ := asynq.GetRetryCount(ctx); retried == 0 {
				return errors.New(text(t))
			}
			return nil
		},
		"hold": hold,
		"hold-once": func(ctx context.Context, t *asynq.Task) error {
			if retried, _ := asynq.GetRetryCount(ctx); retried == 0 {
				return hold(ctx, t)
			}
			return nil
		},
		"typed": typed,
	}
	for kind, handle := range kinds {
		mux.HandleFunc(kind, func(ctx context.Context, t *asynq.Task) error {
			say(what(ctx, t))
			return handle(ctx, t)
		})
	}
	return mux
}

func what(ctx context.Context, t *asynq.Task) seen {
	id, _ := asynq.GetTaskID(ctx)
	queue, _ := asynq.GetQueueName(ctx)
	retried, _ := asynq.GetRetryCount(ctx)
	retries, _ := asynq.GetMaxRetry(ctx)
	deadline, _ := ctx.Deadline()
	return seen{
		"seen", id, t.Type(), queue, t.Payload(), t.Headers(), retried + 1, retries + 1, time.Until(deadline).Seconds(),
		traces.Follow(t.Headers()),
	}
}

// text reads the argument {"text": …}, or what else the payload is.
func text(t *asynq.Task) string {
	var args struct{ Text string }
	if err := json.Unmarshal(t.Payload(), &args); err != nil {
		return string(t.Payload())
	}
	return args.Text
}

func result(_ context.Context, t *asynq.Task) error {
	written, err := json.Marshal(text(t))
	if err != nil {
		return err
	}
	_, err = t.ResultWriter().Write(written)
	return err
}

// hold waits until it is told to stop.
func hold(ctx context.Context, _ *asynq.Task) error {
	<-ctx.Done()
	id, _ := asynq.GetTaskID(ctx)
	say(map[string]string{"said": "let go", "id": id, "why": ctx.Err().Error()})
	return ctx.Err()
}

// typed reads its arguments by name, as a Python function is given them.
func typed(_ context.Context, t *asynq.Task) error {
	var args struct {
		Said   string `json:"said"`
		To     string `json:"to"`
		Times  int    `json:"times"`
		Urgent bool   `json:"urgent"`
	}
	if err := json.Unmarshal(t.Payload(), &args); err != nil {
		return err
	}
	args.Said = "typed"
	say(args)
	return nil
}
