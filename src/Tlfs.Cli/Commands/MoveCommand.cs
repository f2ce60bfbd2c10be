using System.Text.Json;
using Tlfs.Cli.Running;
using Tlfs.Client;
using Tlfs.Core.Ids;

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
            call.Print.Result(json => ResultMembers(json, moved), $"{moved.Documents} documents moved with {moved.Envelopes} envelopes; each is proven to have arrived.");
            if (moved.LeftAlone.Count > 0) call.Print.Hint($"Others keep these at the old cloudpeer, and they stay there: {string.Join(' ', moved.LeftAlone)}");
            if (moved.Untold.Count > 0) call.Print.Hint($"No inbox of these members was found; invite them again, so that they know the new address: {string.Join(' ', moved.Untold)}");
            if (moved.Waiting.Count > 0) call.Print.Hint($"The inbox of these members cannot be reached now; each sync tries again, and an invitation tells those whose server is gone: {string.Join(' ', moved.Waiting)}");
            if (moved.StillOpen.Count > 0) call.Print.Line(StillOpen(call.Get(from), call.Get(to), moved.StillOpen));
        })
        { from, to };
    }

    private static string StillOpen(string from, string to, IReadOnlyList<DocId> documents) =>
        $"{from} did not take the word that it is left, for want of room or of a paid plan, and may go on taking what others write there. Once it stores things for you again, run: "
        + $"tlfs cloudpeer add {from} --doc {string.Join(' ', documents)}; then: tlfs cloudpeer move {from} {to}";

    private static void ResultMembers(Utf8JsonWriter json, MoveResult moved)
    {
        json.WriteNumber("documents", moved.Documents);
        json.WriteNumber("envelopes", moved.Envelopes);
        json.WriteBoolean("verified", moved.StillOpen.Count == 0);
        Members.Names(json, "left", moved.LeftAlone);
        Members.Names(json, "untold", moved.Untold);
        Members.Names(json, "waiting", moved.Waiting);
        Members.Names(json, "stillOpen", moved.StillOpen);
    }

    /// <summary>Prints each step as it is done.</summary>
    private sealed class Lines(Printer print) : IProgress<MoveProgress>
    {
        public void Report(MoveProgress value)
        {
            var step = Name(value.Step);
            if (print.IsJson) print.Result(json => StepMembers(json, step, value), step);
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
            MoveStep.StillOpen => "still-open",
            MoveStep.Finished => "finished",
        };

        private static void StepMembers(Utf8JsonWriter json, string step, MoveProgress value)
        {
            json.WriteString("step", step);
            json.WriteString("doc", value.Document?.ToString());
            json.WriteNumber("envelopes", value.Envelopes);
        }
    }
}
