package main

import (
	"fmt"
	"time"

	"github.com/hibiken/asynq"
)

func (p peer) inspect(r request) (any, error) {
	i := p.inspector
	switch r.Call {
	case "queues":
		return i.Queues()
	case "queue":
		return i.GetQueueInfo(r.Queue)
	case "history":
		return i.History(r.Queue, r.Days)
	case "groups":
		return i.Groups(r.Queue)
	case "pause":
		return nil, i.PauseQueue(r.Queue)
	case "resume":
		return nil, i.UnpauseQueue(r.Queue)
	case "list":
		return p.list(r)
	case "job":
		info, err := i.GetTaskInfo(r.Queue, r.ID)
		if err != nil {
			return nil, err
		}
		return shown(info), nil
	case "run":
		return nil, i.RunTask(r.Queue, r.ID)
	case "archive":
		return nil, i.ArchiveTask(r.Queue, r.ID)
	case "delete":
		return nil, i.DeleteTask(r.Queue, r.ID)
	case "cancel":
		return nil, i.CancelProcessing(r.ID)
	case "update":
		return nil, i.UpdateTaskPayload(r.Queue, r.ID, r.Job.Payload)
	case "delete_queue":
		return nil, i.DeleteQueue(r.Queue, r.Force)
	case "run_all", "archive_all", "delete_all":
		return p.all(r)
	case "servers":
		return i.Servers()
	case "schedules":
		return p.schedules()
	case "events":
		return i.ListSchedulerEnqueueEvents(r.ID)
	}
	return nil, fmt.Errorf("there is no call %q", r.Call)
}

func (p peer) list(r request) (any, error) {
	lists := map[string]func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
		"active":    p.inspector.ListActiveTasks,
		"pending":   p.inspector.ListPendingTasks,
		"scheduled": p.inspector.ListScheduledTasks,
		"retry":     p.inspector.ListRetryTasks,
		"archived":  p.inspector.ListArchivedTasks,
		"completed": p.inspector.ListCompletedTasks,
		"aggregating": func(queue string, options ...asynq.ListOption) ([]*asynq.TaskInfo, error) {
			return p.inspector.ListAggregatingTasks(queue, r.Group, options...)
		},
	}
	list, known := lists[r.State]
	if !known {
		return nil, fmt.Errorf("there is no state %q", r.State)
	}
	found, err := list(r.Queue, asynq.PageSize(r.Size))
	if err != nil {
		return nil, err
	}
	tasks := []task{}
	for _, info := range found {
		tasks = append(tasks, shown(info))
	}
	return tasks, nil
}

// all does to every task of a state what the request says, and answers how many there were.
func (p peer) all(r request) (any, error) {
	i := p.inspector
	deeds := map[string]func(string) (int, error){
		"run_all scheduled":       i.RunAllScheduledTasks,
		"run_all retry":           i.RunAllRetryTasks,
		"run_all archived":        i.RunAllArchivedTasks,
		"archive_all pending":     i.ArchiveAllPendingTasks,
		"archive_all scheduled":   i.ArchiveAllScheduledTasks,
		"archive_all retry":       i.ArchiveAllRetryTasks,
		"delete_all pending":      i.DeleteAllPendingTasks,
		"delete_all scheduled":    i.DeleteAllScheduledTasks,
		"delete_all retry":        i.DeleteAllRetryTasks,
		"delete_all archived":     i.DeleteAllArchivedTasks,
		"delete_all completed":    i.DeleteAllCompletedTasks,
		"run_all aggregating":     func(q string) (int, error) { return i.RunAllAggregatingTasks(q, r.Group) },
		"archive_all aggregating": func(q string) (int, error) { return i.ArchiveAllAggregatingTasks(q, r.Group) },
		"delete_all aggregating":  func(q string) (int, error) { return i.DeleteAllAggregatingTasks(q, r.Group) },
	}
	do, known := deeds[r.Call+" "+r.State]
	if !known {
		return nil, fmt.Errorf("asynq cannot %s that are %s", r.Call, r.State)
	}
	return do(r.Queue)
}

// task is what asynq says of a task, in ferryman's names; times are RFC 3339, lengths of time seconds.
type task struct {
	ID         string            `json:"id"`
	Queue      string            `json:"queue"`
	Kind       string            `json:"kind"`
	Payload    []byte            `json:"payload"`
	Headers    map[string]string `json:"headers"`
	State      string            `json:"state"`
	Retries    int               `json:"retries"`
	Retried    int               `json:"retried"`
	Error      string            `json:"error"`
	FailedAt   *time.Time        `json:"failed_at"`
	Timeout    float64           `json:"timeout"`
	Deadline   *time.Time        `json:"deadline"`
	Group      string            `json:"group"`
	NextAt     *time.Time        `json:"next_at"`
	Retention  float64           `json:"retention"`
	CompleteAt *time.Time        `json:"completed_at"`
	Result     []byte            `json:"result"`
	Orphaned   bool              `json:"orphaned"`
}

func shown(info *asynq.TaskInfo) task {
	return task{
		info.ID, info.Queue, info.Type, info.Payload, info.Headers, info.State.String(), info.MaxRetry, info.Retried,
		info.LastErr, moment(info.LastFailedAt), info.Timeout.Seconds(), moment(info.Deadline), info.Group,
		moment(info.NextProcessAt), info.Retention.Seconds(), moment(info.CompletedAt), info.Result, info.IsOrphaned,
	}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

type entry struct {
	ID      string     `json:"id"`
	Spec    string     `json:"spec"`
	Kind    string     `json:"kind"`
	Payload []byte     `json:"payload"`
	Options []string   `json:"options"`
	Next    *time.Time `json:"next_at"`
	Last    *time.Time `json:"last_at"`
}

func (p peer) schedules() (any, error) {
	found, err := p.inspector.SchedulerEntries()
	if err != nil {
		return nil, err
	}
	entries := []entry{}
	for _, e := range found {
		options := []string{}
		for _, option := range e.Opts {
			options = append(options, option.String())
		}
		entries = append(entries, entry{
			e.ID, e.Spec, e.Task.Type(), e.Task.Payload(), options, moment(e.Next), moment(e.Prev),
		})
	}
	return entries, nil
}
