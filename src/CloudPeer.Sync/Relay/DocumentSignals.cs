using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>Wakes those who wait for a document. There is one signal for all waiters of a document and none for a document without.</summary>
internal sealed class DocumentSignals
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DocId, Signal> _signals = [];

    /// <summary>Begins to wait; dispose it afterwards.</summary>
    public Waiter Enter(DocId document)
    {
        lock (_gate)
        {
            if (!_signals.TryGetValue(document, out var signal)) _signals.Add(document, signal = new());
            signal.Waiters++;
            return new(this, document, signal);
        }
    }

    /// <summary>Wakes all who wait for the document.</summary>
    public void Pulse(DocId document)
    {
        TaskCompletionSource? changed;
        lock (_gate)
        {
            if (!_signals.TryGetValue(document, out var signal)) return;
            changed = signal.Changed;
            signal.Changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    private void Leave(DocId document, Signal signal)
    {
        lock (_gate)
        {
            if (--signal.Waiters == 0) _signals.Remove(document);
        }
    }

    internal sealed class Signal
    {
        public int Waiters { get; set; }

        public TaskCompletionSource Changed { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>One who waits.</summary>
    internal readonly struct Waiter(DocumentSignals signals, DocId document, Signal signal) : IDisposable
    {
        /// <summary>Completes at the next pulse after this was read: read it before looking at the document.</summary>
        public Task Changed
        {
            get
            {
                lock (signals._gate) return signal.Changed.Task;
            }
        }

        public void Dispose() => signals.Leave(document, signal);
    }
}
