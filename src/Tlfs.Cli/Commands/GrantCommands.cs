using System.CommandLine;
using Tlfs.Cli.Running;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs grant|revoke|grants</c>.</summary>
internal static class GrantCommands
{
    /// <summary>The commands.</summary>
    public static IEnumerable<Command> All() => [Grant(), Revoke(), List()];

    private static Verb Grant()
    {
        var doc = Arguments.Document();
        var who = Arguments.Who("A person's account (acct_…, or acct_…@URL to look it up at a cloudpeer), a device or server (peer_…), or anyone.");
        var permission = new Argument<string>("PERMISSION") { HelpName = "PERMISSION", Description = "sync (fetch, unread), read, write, control (grant up to write) or own." };
        permission.AcceptOnlyFromAmong([.. Enum.GetValues<Permission>().Select(each => each.ToText())]);
        var path = Arguments.OptionalPath("What it covers; . is the whole document. For who can read around it already, write covers the path and nothing else changes; else they get the path alone.");
        var fromNow = new Option<bool>("--from-now") { Description = "Without what was written before: what is there now, and what comes." };
        var condition = new Option<string?>("--if") { Description = "Only while somebody else has a permission; not in this version.", HelpName = "\"WHO PERMISSION DOC PATH\"" };
        string[] examples =
        [
            "tlfs grant doc_… acct_…@https://cloud.example write", "tlfs grant doc_… acct_… read .tasks", "tlfs grant doc_… acct_… read --from-now", "tlfs grant doc_… peer_… sync",
        ];
        return new("grant", "Give somebody access to a document.", examples, async call =>
        {
            if (call.Get(condition) is not null) throw new TlfsException(Reason.Unsupported, "this version knows no conditional grants; leave --if out");
            var document = await call.DocumentAsync(call.Get(doc));
            var actor = await ActorAsync(call, call.Get(who), Named(call.Get(permission)));
            foreach (var grant in await (await call.OpenAsync()).GrantAsync(document.Id, actor, Named(call.Get(permission)), call.Get(path, Arguments.Root), call.Get(fromNow), call.CancellationToken))
                call.Print.Result(json => json.WriteString("grant", grant.ToString()), grant.ToString());
            if (call.Get(who).StartsWith(AccountId.Prefix, StringComparison.Ordinal))
                call.Print.Hint("They do not know of it yet: tlfs invite DOC WHO tells them.");
        })
        { doc, who, permission, path, fromNow, condition };
    }

    private static Verb Revoke()
    {
        var doc = Arguments.Document();
        var grant = new Argument<string>("GRANT") { Description = "The grant's id (grant_…), from: tlfs grants DOC" };
        return new("revoke", "End a grant. What its holder wrote until now keeps counting.", ["tlfs revoke doc_… grant_…"], async call =>
        {
            if (!Id.TryParse<GrantId>(call.Get(grant), out var id))
                throw new TlfsException(Reason.GrantNotFound, $"{call.Get(grant)} is not the id of a grant (grant_…); list them with: tlfs grants DOC");
            var document = await call.DocumentAsync(call.Get(doc));
            var envelope = await document.RevokeAsync(id, call.CancellationToken);
            call.Print.Result(json => json.WriteString("envelope", envelope.ToString()), envelope.ToString());
            call.Print.Hint("It takes effect for others when it reaches them: tlfs sync");
        })
        { doc, grant };
    }

    private static Verb List()
    {
        var doc = Arguments.Document();
        return new("grants", "List who has access to a document and why.", ["tlfs grants doc_…"], async call =>
        {
            var document = await call.DocumentAsync(call.Get(doc));
            call.Print.Table(
                document.Grants,
                (json, each) =>
                {
                    json.WriteString("grant", each.Id.ToString());
                    json.WriteString("who", Text.Who(each.Actor));
                    json.WriteString("permission", each.Permission.ToText());
                    json.WriteString("path", document.PathOf(each));
                    json.WriteBoolean("valid", each.Holds);
                    json.WriteString("why", Why(each));
                },
                ["GRANT", "WHO", "PERMISSION", "PATH", "VALID"],
                each => [each.Id.ToString(), Text.Who(each.Actor), each.Permission.ToText(), document.PathOf(each) ?? "(hidden from you)", each.Holds ? "yes" : $"no: {Why(each)}"],
                "Nothing of this document is here yet; get it with: tlfs sync");
        })
        { doc };
    }

    private static Permission Named(string text) => PermissionText.TryParse(text, out var permission)
        ? permission
        : throw new InvalidOperationException("the parser accepts the names of permissions only");

    // A device stands for its account, except where the account does not matter.
    private static async Task<Actor> ActorAsync(Invocation call, string who, Permission permission)
    {
        if (who is "anyone") return AnyoneActor.Instance;
        if (permission is Permission.Sync && Id.TryParse<PeerId>(who, out var peer)) return new PeerActor(peer);
        return (await (await call.OpenAsync()).ResolveAsync(who, call.CancellationToken)).Actor;
    }

    private static string Why(GrantStatus grant) => grant switch
    {
        { EndedBy: { } end } => $"ended by {end}",
        { Valid: false } => grant.Ruling.Why,
        { Parent: null } => "made with the document",
        _ => $"given by {grant.Statement.Author}",
    };
}
