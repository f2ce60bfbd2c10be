using System.CommandLine;
using Tlfs.Cli.Running;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs contact block</c>.</summary>
internal static class ContactCommands
{
    /// <summary>The group.</summary>
    public static Command All() => new("contact", "The people who may write to this account's inbox.") { Block() };

    private static Verb Block()
    {
        var who = Arguments.Who("The account (acct_…).");
        return new("block", "Hear no more of somebody; to invite them lets them in again.", ["tlfs contact block acct_…"], async call =>
        {
            var replica = await call.OpenAsync();
            var card = await replica.ResolveAsync(call.Get(who), call.CancellationToken);
            await replica.BlockAsync(card.Account, call.CancellationToken);
            call.Print.Result(json => json.WriteString("account", card.Account.ToString()), $"{card.Account} is blocked.");
            call.Print.Hint("What they were granted they have still: tlfs revoke");
        })
        { who };
    }
}
