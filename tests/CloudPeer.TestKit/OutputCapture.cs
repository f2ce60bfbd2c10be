using System.Text;
using System.Text.RegularExpressions;

namespace CloudPeer.TestKit;

/// <summary>Keeps all text of one stream and tells waiters about complete lines as they arrive.</summary>
internal sealed class OutputCapture
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private readonly List<string> _lines = [];
    private readonly List<(Regex Pattern, TaskCompletionSource<Match> Found)> _waiters = [];
    private int _lineStart;
    private bool _ended;

    /// <summary>Everything read so far.</summary>
    public string Text
    {
        get
        {
            lock (_gate)
                return _text.ToString();
        }
    }

    /// <summary>Reads until the stream ends, which is when the last process that holds it has ended.</summary>
    public async Task ReadAsync(StreamReader reader)
    {
        var buffer = new char[4096];
        try
        {
            int read;
            while ((read = await reader.ReadAsync(buffer.AsMemory())) > 0)
                Append(buffer.AsSpan(0, read));
        }
        finally
        {
            End();
        }
    }

    /// <summary>The first complete line, past or future, that matches; cancelled when the stream ends without one.</summary>
    public Task<Match> FindLineAsync(Regex pattern)
    {
        lock (_gate)
        {
            var match = _lines.Select(line => pattern.Match(line)).FirstOrDefault(candidate => candidate.Success);
            if (match is not null)
                return Task.FromResult(match);
            if (_ended)
                return Task.FromCanceled<Match>(new CancellationToken(canceled: true));

            var found = new TaskCompletionSource<Match>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((pattern, found));
            return found.Task;
        }
    }

    private void Append(ReadOnlySpan<char> chunk)
    {
        lock (_gate)
        {
            var offset = _text.Length;
            _text.Append(chunk);
            for (var i = 0; i < chunk.Length; i++)
            {
                if (chunk[i] == '\n')
                    AddLine(offset + i);
            }
        }
    }

    private void AddLine(int end)
    {
        var line = _text.ToString(_lineStart, end - _lineStart);
        _lineStart = end + 1;
        _lines.Add(line);
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            var match = _waiters[i].Pattern.Match(line);
            if (!match.Success)
                continue;
            _waiters[i].Found.SetResult(match);
            _waiters.RemoveAt(i);
        }
    }

    private void End()
    {
        lock (_gate)
        {
            if (_text.Length > _lineStart)
                AddLine(_text.Length);
            _ended = true;
            _waiters.ForEach(waiter => waiter.Found.SetCanceled());
            _waiters.Clear();
        }
    }
}
