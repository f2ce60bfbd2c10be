using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>Wakes those who wait for a document. There is one signal for all waiters of a document and none for a document without; documents with one prefix share it.</summary>
internal sealed class DocumentSignals
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DocPrefix, Signal> _signals = [];

    /// <summary>Begins to wait; dispose it afterwards.</summary>
    public Waiter Enter(DocId document)
    {
        var prefix = DocPrefix.Of(document);
        lock (_gate)
        {
            if (!_signals.TryGetValue(prefix, out var signal)) _signals.Add(prefix, signal = new());
            signal.Waiters++;
            return new(this, prefix, signal);
        }
    }

    /// <summary>Wakes all who wait for the document.</summary>
    public void Pulse(DocId document) => Pulse(DocPrefix.Of(document));

    /// <summary>Wakes all who wait for a document with this prefix.</summary>
    public void Pulse(DocPrefix prefix)
    {
        TaskCompletionSource? changed;
        lock (_gate)
        {
            if (!_signals.TryGetValue(prefix, out var signal)) return;
            changed = Renew(signal);
        }

        changed.SetResult();
    }

    /// <summary>Wakes all who wait for any document.</summary>
    public void PulseAll()
    {
        List<TaskCompletionSource> changed;
        lock (_gate) changed = [.. _signals.Values.Select(Renew)];
        changed.ForEach(each => each.SetResult());
    }

    private static TaskCompletionSource Renew(Signal signal)
    {
        var changed = signal.Changed;
        signal.Changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return changed;
    }

    private void Leave(DocPrefix prefix, Signal signal)
    {
        lock (_gate)
        {
            if (--signal.Waiters == 0) _signals.Remove(prefix);
        }
    }

    internal sealed class Signal
    {
        public int Waiters { get; set; }

        public TaskCompletionSource Changed { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>One who waits.</summary>
    internal readonly struct Waiter(DocumentSignals signals, DocPrefix prefix, Signal signal) : IDisposable
    {
        /// <summary>Completes at the next pulse after this was read: read it before looking at the document.</summary>
        public Task Changed
        {
            get
            {
                lock (signals._gate) return signal.Changed.Task;
            }
        }

        public void Dispose() => signals.Leave(prefix, signal);
    }
}
