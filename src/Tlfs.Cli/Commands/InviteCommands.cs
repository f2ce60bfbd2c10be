using System.CommandLine;
using Tlfs.Cli.Running;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs invite|invites|accept|decline</c>.</summary>
internal static class InviteCommands
{
    /// <summary>The commands.</summary>
    public static IEnumerable<Command> All() => [Invite(), List(), Accept(), Decline()];

    private static Verb Invite()
    {
        var doc = Arguments.Document();
        var who = Arguments.Who("The account (acct_…, or acct_…@URL if its cloudpeer is not one of yours). It needs a grant first.");
        var note = new Option<string?>("--note") { Description = "A line for the invited person.", HelpName = "TEXT" };
        string[] examples = ["tlfs invite doc_… acct_… --note 'our shopping list'", "tlfs invite doc_… acct_…@https://cloud.example"];
        return new("invite", "Tell somebody, sealed, of a document that they were granted.", examples, async call =>
        {
            var replica = await call.OpenAsync();
            var document = await call.IdOfAsync(replica, call.Get(doc));
            var card = await replica.ResolveAsync(call.Get(who), call.CancellationToken);
            var invite = await replica.InviteAsync(card, document, call.Get(note) ?? "", UrlOf(call.Get(who)), call.CancellationToken);
            call.Print.Result(json => json.WriteString("invite", invite.ToString()), invite.ToString());
            var queued = await replica.QueuedInvitationsAsync(call.CancellationToken);
            call.Print.Hint(queued.Contains(invite) ? "It waits until their cloudpeer can be reached: tlfs sync" : "It is delivered.");
        })
        { doc, who, note };
    }

    private static Verb List() => new("invites", "List the invitations that wait for an answer.", ["tlfs invites"], async call =>
    {
        var replica = await call.OpenAsync();
        call.Print.Table(
            await replica.InvitationsAsync(call.CancellationToken),
            (json, each) =>
            {
                json.WriteString("invite", each.Id.ToString());
                json.WriteString("from", each.From.Account.ToString());
                json.WriteString("doc", each.Document.ToString());
                json.WriteString("schema", each.Schema);
                json.WriteString("note", each.Note);
            },
            ["INVITE", "FROM", "SCHEMA", "NOTE"],
            each => [each.Id.ToString(), each.From.Account.ToString(), each.Schema, each.Note],
            "No invitations. New ones come with: tlfs sync");
    });

    private static Verb Accept()
    {
        var invite = Argument();
        return new("accept", "Accept an invitation; the next sync fetches the document.", ["tlfs accept invite_…"], async call =>
        {
            var replica = await call.OpenAsync();
            var document = await replica.AcceptAsync(IdOf(call.Get(invite)), call.CancellationToken);
            call.Print.Result(json => json.WriteString("doc", document.Id.ToString()), document.Id.ToString());
            call.Print.Hint("Next: tlfs sync");
        })
        { invite };
    }

    private static Verb Decline()
    {
        var invite = Argument();
        return new("decline", "Throw an invitation away; nobody is told.", ["tlfs decline invite_…"], async call =>
        {
            var replica = await call.OpenAsync();
            var document = await replica.DeclineAsync(IdOf(call.Get(invite)), call.CancellationToken);
            call.Print.Result(json => json.WriteString("doc", document.ToString()), "Declined.");
        })
        { invite };
    }

    private static Argument<string> Argument() => new("INVITE") { Description = "The invitation's id (invite_…), from: tlfs invites" };

    private static string? UrlOf(string who) => who.Split('@', 2) is [_, var url] ? url : null;

    private static MessageId IdOf(string text) => Id.TryParse<MessageId>(text, out var id)
        ? id
        : throw new TlfsException(Reason.InviteNotFound, $"{text} is not the id of an invitation (invite_…); list them with: tlfs invites");
}
