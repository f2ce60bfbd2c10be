using System.CommandLine;
using Tlfs.Cli.Running;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs delivery</c>.</summary>
internal static class DeliveryCommand
{
    private const string On = "on";
    private const string Off = "off";

    /// <summary>The command.</summary>
    public static Verb Delivery()
    {
        var show = new Argument<string?>("SHOW") { Description = "on or off; left out, it is only told.", Arity = ArgumentArity.ZeroOrOne };
        show.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not (On or Off) and var other }]) result.AddError($"delivery is on or off, not {other}");
        });
        string[] examples = ["tlfs delivery", "tlfs delivery off"];
        return new("delivery", "Whether those who share a document with you see up to where this device has fetched it.", examples, async call =>
        {
            var replica = await call.OpenAsync();
            if (call.Get(show, string.Empty) is { Length: > 0 } wanted) await replica.ShowDeliveryAsync(wanted is On, call.CancellationToken);
            var shown = replica.ShowsDelivery;
            call.Print.Result(json => json.WriteBoolean("shown", shown), shown ? "on: others see up to where this device has fetched a document" : "off: nobody is told what this device fetches");
        })
        { show };
    }
}
