package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"interop/traces"
)

// raw is the arguments of any kind, as they were written.
type raw struct {
	kind string
	body json.RawMessage
}

func (r raw) Kind() string                     { return r.kind }
func (r raw) MarshalJSON() ([]byte, error)     { return r.body, nil }
func (r *raw) UnmarshalJSON(text []byte) error { r.body = append(r.body[:0], text...); return nil }

// order says by tags of its struct which fields make it unique.
type order struct {
	Customer struct {
		ID   string `json:"id" river:"unique"`
		Name string `json:"name"`
	} `json:"customer"`
	Total int    `json:"total" river:"unique"`
	Note  string `json:"note"`
}

func (order) Kind() string { return "order" }

// job is what a request inserts.  The options have ferryman's names.
type job struct {
	Kind        string          `json:"kind"`
	Payload     []byte          `json:"payload"`
	Queue       string          `json:"queue"`
	Priority    int             `json:"priority"`
	MaxAttempts int             `json:"max_attempts"`
	Tags        []string        `json:"tags"`
	Metadata    json.RawMessage `json:"metadata"`
	Pending     bool            `json:"pending"`
	At          time.Time       `json:"at"`
	Traced      bool            `json:"traced"`
	Unique      struct {
		ByArgs      bool                 `json:"by_args"`
		ByPeriod    float64              `json:"by_period"`
		ByQueue     bool                 `json:"by_queue"`
		ByStates    []rivertype.JobState `json:"by_states"`
		ExcludeKind bool                 `json:"exclude_kind"`
	} `json:"unique"`
}

func (j job) args() (river.JobArgs, error) {
	if j.Kind != "order" {
		return raw{j.Kind, j.Payload}, nil
	}
	var o order
	if err := json.Unmarshal(j.Payload, &o); err != nil {
		return nil, fmt.Errorf("an order that is none: %w", err)
	}
	return o, nil
}

func (j job) options() *river.InsertOpts {
	if j.Traced {
		j.Metadata, _ = json.Marshal(traces.Begin()) // words are always written
	}
	return &river.InsertOpts{
		MaxAttempts: j.MaxAttempts,
		Metadata:    j.Metadata,
		Pending:     j.Pending,
		Priority:    j.Priority,
		Queue:       j.Queue,
		ScheduledAt: j.At,
		Tags:        j.Tags,
		UniqueOpts: river.UniqueOpts{
			ByArgs:      j.Unique.ByArgs,
			ByPeriod:    time.Duration(j.Unique.ByPeriod * float64(time.Second)),
			ByQueue:     j.Unique.ByQueue,
			ByState:     j.Unique.ByStates,
			ExcludeKind: j.Unique.ExcludeKind,
		},
	}
}
