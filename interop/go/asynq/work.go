package main

import (
	"bytes"
	"encoding/json"
	"os"
	"time"

	"github.com/hibiken/asynq"
)

// settings are what Python says about a worker.
type settings struct {
	Queues      map[string]int `json:"queues"`
	Strict      bool           `json:"strict"`
	Concurrency int            `json:"concurrency"`
	Log         string         `json:"log"`
	RetryIn     float64        `json:"retry_in"`
	GroupSize   int            `json:"group_size"`
}

func work(redis asynq.RedisConnOpt, said []string) error {
	var s settings
	if err := json.Unmarshal([]byte(said[0]), &s); err != nil {
		return err
	}
	log, err := os.OpenFile(s.Log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if s.Log != "" && err != nil {
		return err
	}
	server := asynq.NewServer(redis, config(s))
	if err := server.Start(handlers(log)); err != nil {
		return err
	}
	say(map[string]string{"said": "ready"})
	stopped()
	server.Shutdown()
	say(map[string]string{"said": "stopped"})
	return nil
}

func config(s settings) asynq.Config {
	c := asynq.Config{
		Queues:                   s.Queues,
		StrictPriority:           s.Strict,
		Concurrency:              s.Concurrency,
		LogLevel:                 quiet,
		ShutdownTimeout:          100 * time.Millisecond,
		TaskCheckInterval:        20 * time.Millisecond,
		DelayedTaskCheckInterval: 100 * time.Millisecond,
		JanitorInterval:          time.Second,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration {
			return time.Duration(s.RetryIn * float64(time.Second))
		},
	}
	if s.GroupSize > 0 {
		c.GroupMaxSize, c.GroupGracePeriod = s.GroupSize, time.Second
		c.GroupAggregator = asynq.GroupAggregatorFunc(combine)
	}
	return c
}

// combine makes one job of a group's, with a line for each.
func combine(_ string, tasks []*asynq.Task) *asynq.Task {
	var lines [][]byte
	for _, t := range tasks {
		lines = append(lines, t.Payload())
	}
	return asynq.NewTask("note", bytes.Join(lines, []byte("\n")))
}
