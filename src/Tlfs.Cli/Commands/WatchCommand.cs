using System.CommandLine;
using System.Text.Json;
using Tlfs.Cli.Running;
using Tlfs.Client;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Policy;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs doc watch</c>.</summary>
internal static class WatchCommand
{
    /// <summary>The command.</summary>
    public static Verb Watch()
    {
        var doc = Arguments.Document();
        var path = Arguments.OptionalPath();
        var sync = new Option<bool>("--sync") { Description = "Also synchronise the document meanwhile, as sync --watch does." };
        const string description = "Print what changes in a document, a line per change, until interrupted: edits here, by any process, and what a synchronisation brings.";
        return new("watch", description, ["tlfs doc watch doc_…", "tlfs doc watch doc_… .tasks --sync"], async call =>
        {
            var replica = await call.OpenAsync();
            var document = await call.DocumentAsync(call.Get(doc));
            await RunAsync(call, replica, document, call.Get(path, Arguments.Root), call.Get(sync));
        })
        { doc, path, sync };
    }

    private static async Task RunAsync(Invocation call, LocalFirst replica, LocalDocument document, string path, bool sync)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken);
        var lines = new Lines(call.Print);
        await using var watch = document.Watch(path, lines.Show);
        lines.Begin();
        var running = sync
            ? replica.SyncAsync(new() { Watch = true, Only = [document.Id] }, lines, stopping.Token)
            : Task.Delay(Timeout.InfiniteTimeSpan, call.Time, stopping.Token);
        try
        {
            await await Task.WhenAny(watch.Completion, running);
            call.CancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            await stopping.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static void Members(Utf8JsonWriter json, DocumentChange change)
    {
        json.WriteString("change", Word(change.Kind));
        json.WriteString("path", change.Path);
        json.WritePropertyName("value");
        if (change.Grant is { } grant)
        {
            json.WriteStartObject();
            json.WriteString("grant", grant.Id.ToString());
            json.WriteString("who", Text.Who(grant.Actor));
            json.WriteString("permission", grant.Permission.ToText());
            json.WriteEndObject();
        }
        else
        {
            json.WriteRawValue(change.Value ?? "null");
        }

        json.WriteString("from", change.From);
        json.WriteString("author", change.Author?.ToString());
    }

    private static string Line(DocumentChange change)
    {
        var what = change.Grant is { } grant ? $"{grant.Permission.ToText()} {Text.Who(grant.Actor)}" : change.Value;
        string?[] words =
        [
            Word(change.Kind), change.Path, change.From is { } from ? "from " + from : null, what, change.Author is { } author ? "by " + author : null,
        ];
        return Failure.OneLine(string.Join(' ', words.OfType<string>()));
    }

    private static string Word(ChangeKind kind) => kind switch
    {
        ChangeKind.Insert => "insert",
        ChangeKind.Update => "update",
        ChangeKind.Move => "move",
        ChangeKind.Remove => "remove",
        ChangeKind.Grant => "grant",
        ChangeKind.Revoke => "revoke",
    };

    /// <summary>Prints changes as they come, and on standard error why a server cannot be synchronised with, once until that is over.</summary>
    private sealed class Lines(Printer print) : IProgress<SyncResult>
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, string> _problems = new(StringComparer.Ordinal);

        // Said when the watch has begun, since what happens from then on is told.
        public void Begin()
        {
            lock (_gate)
            {
                print.Hint("Watching until you press Ctrl-C.");
                print.Flush();
            }
        }

        public void Show(DocumentChange change)
        {
            lock (_gate)
            {
                print.Result(json => Members(json, change), Line(change));
                print.Flush();
            }
        }

        public void Report(SyncResult value)
        {
            lock (_gate)
            {
                var problem = value.Error is { } error ? Failure.Of(error).ToString() : string.Empty;
                if (problem.Length > 0 && !string.Equals(problem, _problems.GetValueOrDefault(value.Url), StringComparison.Ordinal)) print.Error.WriteLine(problem);
                _problems[value.Url] = problem;
            }
        }
    }
}
