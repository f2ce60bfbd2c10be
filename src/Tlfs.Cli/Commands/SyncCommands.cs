using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CloudPeer.Sync.Relay;
using Tlfs.Cli.Running;
using Tlfs.Client;
using Tlfs.Core;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs sync|status</c>.</summary>
internal static class SyncCommands
{
    private const double DefaultTimeoutSeconds = 30;
    private const double LongestTimeoutSeconds = 86_400;

    /// <summary>The commands.</summary>
    public static IEnumerable<Command> All() => [Sync(), Status(), DeliveryCommand.Delivery()];

    private static Verb Sync()
    {
        var once = new Option<bool>("--once") { Description = "Until both sides hold the same, then stop. This is the default." };
        var watch = new Option<bool>("--watch") { Description = "Go on until interrupted: send what is edited, receive what others send." };
        var timeout = Timeout();
        var sync = new Verb("sync", "Send what is new here, fetch what is new elsewhere, deliver invitations.", ["tlfs sync", "tlfs sync --watch", "tlfs sync --timeout 5"], async call =>
        {
            var options = new SyncOptions { Timeout = TimeSpan.FromSeconds(call.Get(timeout)), Watch = call.Get(watch) };
            var replica = await call.OpenAsync();
            if (options.Watch) await WatchAsync(call, replica, options);
            else await OnceAsync(call, replica, options);
        })
        { once, watch, timeout };
        sync.Validators.Add(result =>
        {
            if (result.GetValue(once) && result.GetValue(watch)) result.AddError("--once and --watch exclude each other");
        });
        return sync;
    }

    private static Option<double> Timeout()
    {
        var timeout = new Option<double>("--timeout")
        {
            Description = "How many seconds to try.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => DefaultTimeoutSeconds,
        };
        timeout.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= LongestTimeoutSeconds))
                result.AddError("--timeout is a number of seconds above 0");
        });
        return timeout;
    }

    private static async Task OnceAsync(Invocation call, LocalFirst replica, SyncOptions options)
    {
        var results = await SyncProgress.RunAsync(call.Print, progress => replica.SyncAsync(options, progress, call.CancellationToken));
        foreach (var result in results) Show(call.Print, result);
        if (results.FirstOrDefault(result => result.Error is not null || result.Refused.Count > 0) is { } failed) throw Failed(failed);
        if (results.FirstOrDefault(result => result.Inbox is not null) is { Inbox: { } unread } at) throw new TlfsException(unread.Reason, $"{at.Url}: your inbox there was not read: {unread.Message}");
        var queued = (await replica.QueuedInvitationsAsync(call.CancellationToken)).Count;
        if (queued > 0) throw new TlfsException(Reason.Unavailable, $"{(queued == 1 ? "an invitation" : $"{queued} invitations")} could not be delivered; the next sync tries again");
        if (results.Count == 0) await ExplainAsync(call, replica);
    }

    private static async Task WatchAsync(Invocation call, LocalFirst replica, SyncOptions options)
    {
        call.Print.Hint("Synchronising until you press Ctrl-C.");
        await call.Print.FlushAsync(call.CancellationToken);
        await replica.SyncAsync(options, new Lines(call.Print), call.CancellationToken);
        call.CancellationToken.ThrowIfCancellationRequested();
    }

    private static async Task ExplainAsync(Invocation call, LocalFirst replica)
    {
        var cloudpeers = await replica.CloudpeersAsync(call.CancellationToken);
        call.Print.Hint(cloudpeers.Count == 0
            ? "There is nobody to synchronise with. Add a cloudpeer with: tlfs cloudpeer add URL"
            : "There is no document to synchronise. Make one with: tlfs doc create SCHEMA; or see who invited you with: tlfs invites");
    }

    private static Verb Status()
    {
        var delivered = new Option<bool>("--delivered") { Description = "Ask the servers up to where each device has fetched each document." };
        return new("status", "Show how each document stands with each server; asks nobody, unless told to.", ["tlfs status", "tlfs status --delivered"], async call =>
        {
            var replica = await call.OpenAsync();
            var states = await replica.StatusAsync(call.CancellationToken);
            var fetched = call.Get(delivered) ? await replica.DeliveredAsync(null, call.CancellationToken) : null;
            call.Print.Table(
                states,
                (json, each) => StatusMembers(json, each, fetched),
                ["DOC", "URL", "LAST CONFIRMED", "UNSENT", "REFUSED", "USED", "QUOTA"],
                each =>
                [
                    Text.Short(each.Document.ToString()), each.Url, each.LastConfirmed is { } time ? Text.Time(time) : "never",
                    Text.Number(each.Unsent), each.Fault is { } fault ? $"[{fault.Reason.ToKebab()}]" : Text.Number(each.Refused.Count),
                    each.Used is { } used ? Text.Bytes(used) : "", each.Quota is { } quota ? Text.Quota(quota) : "",
                ],
                "No document is with a server yet. Add a cloudpeer with: tlfs cloudpeer add URL");
            foreach (var server in states.DistinctBy(each => each.Url, StringComparer.Ordinal)) ShowAccount(call.Print, server);
            foreach (var each in states.Where(each => each.Restored is not null))
                call.Print.Line($"{Text.Short(each.Document.ToString())}  {each.Url}  {Text.Restored(each.Restored!)}");
            foreach (var each in fetched ?? [])
                call.Print.Line($"{Text.Short(each.Document.ToString())}  {each.Url}  {Text.Short(each.Device.ToString())} has fetched {each.Size} of {each.Of} ({Text.Time(each.At)})");
        })
        { delivered };
    }

    private static void ShowAccount(Printer print, DocumentServerStatus server)
    {
        if (server.State is { } state and not "active") print.Line($"{server.Url}  your account is {Failure.OneLine(state)} there");
        if (server.Largest.Count > 0) print.Line($"{server.Url}  filled by: {string.Join(", ", server.Largest.Select(each => $"{Text.Short(each.Document.ToString())} {Text.Bytes(each.StoredBytes)}"))}");
    }

    private static void StatusMembers(Utf8JsonWriter json, DocumentServerStatus each, IReadOnlyList<DeviceDelivery>? fetched)
    {
        json.WriteString("doc", each.Document.ToString());
        json.WriteString("url", each.Url);
        json.WriteString("lastConfirmed", each.LastConfirmed is { } time ? Text.Time(time) : null);
        json.WriteNumber("unsent", each.Unsent);
        Members.Refused(json, each.Refused);
        Members.Optional(json, "used", each.Used);
        Members.Optional(json, "quota", each.Quota);
        Members.Optional(json, "stored", each.Stored);
        json.WriteString("state", each.State);
        Members.Largest(json, each.Largest);
        json.WriteString("fault", each.Fault?.Reason.ToKebab());
        Members.Restored(json, each.Restored);
        if (fetched is not null) Members.Delivered(json, [.. fetched.Where(one => one.Document == each.Document && string.Equals(one.Url, each.Url, StringComparison.Ordinal))]);
    }

    private static void Show(Printer print, SyncResult result) => print.Result(
        json =>
        {
            json.WriteString("doc", result.IsOfServer ? null : result.Document.ToString());
            json.WriteString("url", result.Url);
            json.WriteNumber("pushed", result.Pushed);
            json.WriteNumber("pulled", result.Pulled);
            Members.Head(json, result.Head);
            json.WriteNumber("unsent", result.Unsent);
            Members.Refused(json, result.Refused);
            json.WriteString("error", result.Error?.Reason.ToKebab());
            json.WriteString("inbox", result.Inbox?.Reason.ToKebab());
            Members.Names(json, "missing", result.Missing);
            Members.Names(json, "withheld", result.Withheld);
            Members.Restored(json, result.Restored);
        },
        (result.IsOfServer ? $"{result.Url}  {Trouble(result)}".TrimEnd() : Sentence(result)) + Notes(result));

    private static string Sentence(SyncResult result) =>
        $"{Text.Short(result.Document.ToString())}  {result.Url}  sent {result.Pushed}, received {result.Pulled}, {(result.Complete ? "up to date" : Trouble(result))}";

    private static string Trouble(SyncResult result)
    {
        var unsent = result.Unsent > 0 ? $"{result.Unsent} unsent" : result.Withheld.Count > 0 ? "not all of it" : "";
        var reasons = result.Refused.Select(each => each.Reason).Concat(result.Error is { } error ? [error.Reason] : []).Distinct();
        return string.Join(' ', (string[])[unsent, .. reasons.Select(reason => $"[{reason.ToKebab()}]")]).Trim();
    }

    private static string Notes(SyncResult result) => string.Concat(
        result.Restored is { } restored ? "\n  " + Text.Restored(restored) : "",
        result.Inbox is { } unread ? $"\n  Your inbox there was not read: {unread.Message} [{unread.Reason.ToKebab()}]" : "",
        string.Concat(result.Refused.Select(each => each.Quota).OfType<QuotaUse>().Select(Text.Quota).Distinct(StringComparer.Ordinal).Select(line => "\n  " + line)),
        result.Missing.Count == 0 ? "" : "\n  The server left out: " + string.Join(' ', result.Missing),
        result.Withheld.Count == 0 ? "" : $"\n  The server does not give parts that you may read of {Text.Number(result.Withheld.Count)} envelopes; each sync asks again. If that stays so, ask its operator, or use another cloudpeer.");

    private static TlfsException Failed(SyncResult result)
    {
        if (result.Error is { Reason: Reason.ServerFork or Reason.ServerRollback } lie)
        {
            return new(lie.Reason, $"{result.Url}: {lie.Message}. Your copy is safe and other cloudpeers go on; ask the operator whether a backup was restored, "
                + $"and see the evidence with: tlfs doc verify {result.Document}");
        }

        if (result.Error is { } error) return result.IsOfServer ? new(error.Reason, $"{result.Url}: {error.Message}", error) : error;
        var refused = result.Refused[0];
        var quota = refused.Quota is { } use ? $" ({Text.Quota(use)})" : "";
        return new(refused.Reason, $"{result.Url} refused {result.Refused.Count} of your changes; they are kept here: {refused.Message}{quota}");
    }

    /// <summary>Prints results as they come.</summary>
    private sealed class Lines(Printer print) : IProgress<SyncResult>
    {
        private readonly Lock _gate = new();

        public void Report(SyncResult value)
        {
            lock (_gate)
            {
                Show(print, value);
                print.Flush();
            }
        }
    }
}
