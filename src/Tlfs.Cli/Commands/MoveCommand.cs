using System.Text.Json;
using Tlfs.Cli.Running;
using Tlfs.Client;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs cloudpeer move</c>.</summary>
internal static class MoveCommand
{
    /// <summary>The command.</summary>
    public static Verb Move()
    {
        var from = Arguments.Url("FROM", "The address of the cloudpeer to leave.");
        var to = Arguments.Url("TO", "The address of the cloudpeer to use from now on.");
        string[] examples = ["tlfs cloudpeer move https://old.example https://new.example"];
        return new("move", "Move to another cloudpeer: copy everything, prove that it is complete, then switch. If it is interrupted, run it again.", examples, async call =>
        {
            var replica = await call.OpenAsync();
            var moved = await replica.MoveCloudpeerAsync(call.Get(from), call.Get(to), new Lines(call.Print), call.CancellationToken);
            call.Print.Result(json => Members(json, moved), $"{moved.Documents} documents moved with {moved.Envelopes} envelopes; each is proven to have arrived.");
            if (moved.LeftAlone.Count > 0) call.Print.Hint($"Others keep these at the old cloudpeer, and they stay there: {string.Join(' ', moved.LeftAlone)}");
            if (moved.Untold.Count > 0) call.Print.Hint($"No inbox of these members was found; invite them again, so that they know the new address: {string.Join(' ', moved.Untold)}");
        })
        { from, to };
    }

    private static void Members(Utf8JsonWriter json, MoveResult moved)
    {
        json.WriteNumber("documents", moved.Documents);
        json.WriteNumber("envelopes", moved.Envelopes);
        json.WriteBoolean("verified", true);
        json.WriteStartArray("left");
        foreach (var document in moved.LeftAlone) json.WriteStringValue(document.ToString());
        json.WriteEndArray();
        json.WriteStartArray("untold");
        foreach (var account in moved.Untold) json.WriteStringValue(account.ToString());
        json.WriteEndArray();
    }

    /// <summary>Prints each step as it is done.</summary>
    private sealed class Lines(Printer print) : IProgress<MoveProgress>
    {
        public void Report(MoveProgress value)
        {
            var step = Name(value.Step);
            if (print.IsJson) print.Result(json => Members(json, step, value), step);
            else print.Hint(value.Document is { } document ? $"{Text.Short(document.ToString())}  {step}, {value.Envelopes} envelopes" : step);
            print.Flush();
        }

        private static string Name(MoveStep step) => step switch
        {
            MoveStep.Joined => "joined",
            MoveStep.Copied => "copied",
            MoveStep.Told => "told",
            MoveStep.Switched => "switched",
            MoveStep.Proven => "proven",
            MoveStep.Finished => "finished",
        };

        private static void Members(Utf8JsonWriter json, string step, MoveProgress value)
        {
            json.WriteString("step", step);
            json.WriteString("doc", value.Document?.ToString());
            json.WriteNumber("envelopes", value.Envelopes);
        }
    }
}
