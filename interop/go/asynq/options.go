package main

import (
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"interop/traces"
)

// job is what a request enqueues.  The options have ferryman's names; lengths of time are written as in Go.
type job struct {
	Kind      string            `json:"kind"`
	Payload   []byte            `json:"payload"`
	Queue     string            `json:"queue"`
	ID        string            `json:"id"`
	Retries   *int              `json:"retries"`
	Timeout   string            `json:"timeout"`
	Deadline  time.Time         `json:"deadline"`
	Retention string            `json:"retention"`
	Unique    string            `json:"unique"`
	Delay     string            `json:"delay"`
	At        time.Time         `json:"at"`
	Group     string            `json:"group"`
	Headers   map[string]string `json:"headers"`
	Traced    bool              `json:"traced"`
}

func (j job) task() *asynq.Task {
	if j.Traced {
		j.Headers = traces.Begin()
	}
	return asynq.NewTaskWithHeaders(j.Kind, j.Payload, j.Headers)
}

func (j job) options() ([]asynq.Option, error) {
	var options []asynq.Option
	texts := []struct {
		said   string
		option func(string) asynq.Option
	}{{j.Queue, asynq.Queue}, {j.ID, asynq.TaskID}, {j.Group, asynq.Group}}
	for _, text := range texts {
		if text.said != "" {
			options = append(options, text.option(text.said))
		}
	}
	lengths := []struct {
		said   string
		option func(time.Duration) asynq.Option
	}{{j.Timeout, asynq.Timeout}, {j.Retention, asynq.Retention}, {j.Unique, asynq.Unique}, {j.Delay, asynq.ProcessIn}}
	for _, length := range lengths {
		if length.said == "" {
			continue
		}
		duration, err := time.ParseDuration(length.said)
		if err != nil {
			return nil, fmt.Errorf("job %q: %w", j.Kind, err)
		}
		options = append(options, length.option(duration))
	}
	if j.Retries != nil {
		options = append(options, asynq.MaxRetry(*j.Retries))
	}
	if !j.Deadline.IsZero() {
		options = append(options, asynq.Deadline(j.Deadline))
	}
	if !j.At.IsZero() {
		options = append(options, asynq.ProcessAt(j.At))
	}
	return options, nil
}
