package main

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// settings are what Python says about a worker.
type settings struct {
	Name        string   `json:"name"`
	Queues      []string `json:"queues"`
	Concurrency int      `json:"concurrency"`
	Log         string   `json:"log"`
	RetryIn     float64  `json:"retry_in"`
	RescueAfter float64  `json:"rescue_after"`
	Timeout     float64  `json:"timeout"`
	Every       float64  `json:"every"`
	Follower    bool     `json:"follower"`
}

func work(pool *pgxpool.Pool, said []string) error {
	s := settings{Queues: []string{"default"}, Concurrency: 10, Timeout: 60}
	if err := json.Unmarshal([]byte(said[0]), &s); err != nil {
		return err
	}
	log, err := os.OpenFile(s.Log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if s.Log != "" && err != nil {
		return err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), config(s, log))
	if err != nil {
		return err
	}
	events, cancel := client.Subscribe(river.EventKindQueuePaused)
	defer cancel()
	go tellPauses(events)
	if err := client.Start(context.Background()); err != nil {
		return err
	}
	say(map[string]string{"said": "ready"})
	stopped()
	return stop(client)
}

// tellPauses says which queues rest: who pauses one does not know when this worker has heard of it.
func tellPauses(events <-chan *river.Event) {
	for event := range events {
		say(map[string]string{"said": "paused", "queue": event.Queue.Name})
	}
}

// stop gives running jobs a moment, then ends them.
func stop(client *river.Client[pgx.Tx]) error {
	soon, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := client.Stop(soon); err == nil {
		return nil
	}
	return client.StopAndCancel(context.Background())
}

func config(s settings, log *os.File) *river.Config {
	c := &river.Config{
		ID:                     s.Name,
		Logger:                 quiet(),
		Queues:                 map[string]river.QueueConfig{},
		Workers:                handlers(log),
		FetchCooldown:          10 * time.Millisecond,
		FetchPollInterval:      200 * time.Millisecond,
		JobTimeout:             time.Duration(s.Timeout * float64(time.Second)),
		RescueStuckJobsAfter:   time.Duration(s.RescueAfter * float64(time.Second)),
		RetryPolicy:            retryIn(s.RetryIn * float64(time.Second)),
		LeaderElectionDisabled: s.Follower,
		TestOnly:               true, // chores begin at once, rather than staggered
	}
	for _, queue := range s.Queues {
		c.Queues[queue] = river.QueueConfig{MaxWorkers: s.Concurrency}
	}
	if s.Every > 0 {
		c.PeriodicJobs = []*river.PeriodicJob{river.NewPeriodicJob(
			river.PeriodicInterval(time.Duration(s.Every*float64(time.Second))),
			func() (river.JobArgs, *river.InsertOpts) { return raw{"tick", []byte("{}")}, nil },
			&river.PeriodicJobOpts{ID: "tick", RunOnStart: true},
		)}
	}
	return c
}

// retryIn tries again after so many nanoseconds, however often it was tried before.
type retryIn float64

func (r retryIn) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(time.Duration(r)) }
