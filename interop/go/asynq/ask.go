package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hibiken/asynq"
)

// request is one line of standard input: what to call, and with what.
type request struct {
	Call  string `json:"call"`
	Job   job    `json:"job"`
	Count int    `json:"count"`
	Queue string `json:"queue"`
	State string `json:"state"`
	Group string `json:"group"`
	ID    string `json:"id"`
	Size  int    `json:"size"`
	Days  int    `json:"days"`
	Force bool   `json:"force"`
}

type reply struct {
	Answer any    `json:"answer"`
	Error  string `json:"error"`
}

// peer holds what requests are answered with.
type peer struct {
	client    *asynq.Client
	inspector *asynq.Inspector
}

func ask(redis asynq.RedisConnOpt, _ []string) error {
	p := peer{asynq.NewClient(redis), asynq.NewInspector(redis)}
	defer p.client.Close()
	defer p.inspector.Close()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("a request that is no request: %w", err)
		}
		answer, err := p.answer(r)
		if err != nil {
			say(reply{Error: err.Error()})
		} else {
			say(reply{Answer: answer})
		}
	}
	return lines.Err()
}

func (p peer) answer(r request) (any, error) {
	switch r.Call {
	case "enqueue":
		return p.enqueue(r.Job)
	case "enqueue_many":
		return r.Count, p.enqueueMany(r)
	}
	return p.inspect(r)
}

func (p peer) enqueue(j job) (any, error) {
	options, err := j.options()
	if err != nil {
		return nil, err
	}
	info, err := p.client.Enqueue(j.task(), options...)
	if err != nil {
		return nil, err
	}
	return shown(info), nil
}

// enqueueMany enqueues jobs whose payloads are their numbers, from ID's on.
func (p peer) enqueueMany(r request) error {
	options, err := r.Job.options()
	if err != nil {
		return err
	}
	for n := range r.Count {
		task := asynq.NewTask(r.Job.Kind, fmt.Appendf(nil, "%s%d", r.ID, n))
		if _, err := p.client.Enqueue(task, options...); err != nil {
			return err
		}
	}
	return nil
}
