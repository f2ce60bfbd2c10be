using Tlfs.Client.Sync;
using Tlfs.Core.Documents;

namespace Tlfs.Client;

/// <summary>
/// A subscription to a document, from <see cref="LocalDocument.Watch"/>. It tells what this process, another process on the same home, or a
/// synchronisation changed, in order and one at a time, until it is disposed of.
/// </summary>
public sealed class DocumentWatch : IAsyncDisposable
{
    private readonly ReplicaHome _home;
    private readonly LocalDocument _document;
    private readonly Action<DocumentChange> _changed;
    private readonly CancellationTokenSource _stopping = new();
    private readonly AsyncLocal<bool> _telling = new();
    private DocumentMark _mark;

    internal DocumentWatch(ReplicaHome home, LocalDocument document, DocumentMark mark, Action<DocumentChange> changed)
    {
        _home = home;
        _document = document;
        _mark = mark;
        _changed = changed;

        // Listening before the first look, so that nothing falls between.
        Completion = RunAsync(new ChangeSignal(home, all: true));
    }

    /// <summary>Ends when the watch is disposed of; fails with what the handler threw, or with the reason why the document cannot be read any more.</summary>
    public Task Completion { get; }

    /// <summary>Stops. Afterwards the handler is not called again; inside the handler it is not waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        if (_telling.Value) return;
        await ((Task)Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task RunAsync(ChangeSignal signal)
    {
        await Task.Yield();
        using (signal)
        {
            var noticing = OtherProcesses.NoticeAsync(_home, _stopping.Token);
            try
            {
                do Tell(Take());
                while (await signal.WaitAsync(_stopping.Token));
            }
            finally
            {
                await _stopping.CancelAsync();
                await noticing;
            }
        }
    }

    private IReadOnlyList<DocumentChange> Take() => _document.Read(document =>
    {
        var changes = document.ChangesSince(_mark);
        _mark = document.Mark(_mark);
        return changes;
    });

    // Outside the gate: a handler may read and edit.
    private void Tell(IReadOnlyList<DocumentChange> changes)
    {
        _telling.Value = true;
        foreach (var change in changes)
        {
            if (_stopping.IsCancellationRequested) return;
            _changed(change);
        }

        _telling.Value = false;
    }
}
