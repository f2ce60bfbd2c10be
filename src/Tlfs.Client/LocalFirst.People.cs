using CloudPeer.Sync.Client;
using CloudPeer.Sync.Sessions;
using Tlfs.Client.Storage;
using Tlfs.Client.Sync;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Client;

public sealed partial class LocalFirst
{
    /// <summary>
    /// Finds the card of <c>acct_…</c>, <c>acct_…@URL</c> or <c>peer_…</c> (a device): among those known here, else at the cloudpeers or the URL.
    /// <c>card-unknown</c>, <c>bad-argument</c>.
    /// </summary>
    public async Task<AccountCard> ResolveAsync(string who, CancellationToken cancellationToken = default)
    {
        var at = who.IndexOf('@', StringComparison.Ordinal);
        var (name, url) = at < 0 ? (who, null) : (who[..at], ServerUrl.Parse(who[(at + 1)..], _home.Options.AllowInsecure));
        if (Id.TryParse<AccountId>(name, out var account))
        {
            return await ResolveAsync(
                url, () => account == Account ? new(Card, null) : _home.People.FindCard(account), (server, token) => server.FindCardAsync(account, token), cancellationToken);
        }

        if (Id.TryParse<PeerId>(name, out var device))
        {
            return await ResolveAsync(
                url, () => device == Peer ? new(Card, null) : _home.People.FindCard(device), (server, token) => server.FindCardAsync(device, token), cancellationToken);
        }

        throw new TlfsException(Reason.BadArgument, "a person is named by acct_…, acct_…@URL, or peer_… of a device");
    }

    /// <summary>
    /// Invites somebody who holds a grant of Read or more (else <c>grant-refused</c>). The invitation is stored at once, and sent after the document:
    /// now if a server can be reached, else by the next <see cref="SyncAsync"/>.
    /// </summary>
    /// <param name="who">Whom.</param>
    /// <param name="document">To which document; a server must hold it or be meant to, else <c>cloudpeer-not-found</c>.</param>
    /// <param name="note">A line to show.</param>
    /// <param name="url">The cloudpeer with the person's inbox; null for wherever the card was found, and this account's own.</param>
    /// <param name="cancellationToken">Cancels sending; what is stored stays.</param>
    public async Task<MessageId> InviteAsync(
        AccountCard who, DocId document, string note = "", string? url = null, CancellationToken cancellationToken = default)
    {
        var address = url is null ? null : ServerUrl.Parse(url, _home.Options.AllowInsecure);
        await _home.DoAsync(() => MakeInvitation(who, document, note), cancellationToken);
        await TrySyncAsync(document, cancellationToken);
        var id = await _home.DoAsync(
            () =>
            {
                _home.People.SaveCard(who, address);
                _home.Contacts.Block(who.Account, false);
                return _mailbox.Enqueue(who, MakeInvitation(who, document, note), address);
            },
            cancellationToken);
        await WithinAsync(BestEffort, _mailbox.SendAsync, cancellationToken);
        return id;
    }

    /// <summary>Invites somebody to a document.</summary>
    public Task<MessageId> InviteAsync(AccountCard who, LocalDocument document, string note = "", CancellationToken cancellationToken = default) =>
        InviteAsync(who, document.Id, note, null, cancellationToken);

    /// <summary>The invitations that wait to be sent.</summary>
    public Task<IReadOnlyList<MessageId>> QueuedInvitationsAsync(CancellationToken cancellationToken = default) =>
        _home.DoAsync<IReadOnlyList<MessageId>>(() => [.. _home.People.Outgoing().Where(message => message.Type == Invitation.MessageType).Select(message => message.Id)], cancellationToken);

    /// <summary>The invitations that wait for an answer; fetches new ones from the cloudpeers that can be reached.</summary>
    public async Task<IReadOnlyList<ReceivedInvitation>> InvitationsAsync(CancellationToken cancellationToken = default)
    {
        var own = await CloudpeersAsync(cancellationToken);
        await WithinAsync(BestEffort, token => Task.WhenAll(own.Select(cloudpeer => FetchAsync(cloudpeer, token))), cancellationToken);
        return await _home.DoAsync<IReadOnlyList<ReceivedInvitation>>(() => [.. _home.People.OpenInvitations().Select(Show)], cancellationToken);
    }

    /// <summary>
    /// Accepts an invitation: the document is kept here from now on, and filled by the next <see cref="SyncAsync"/>, which also gives the inviter this account's
    /// delivery token. <c>invite-not-found</c>.
    /// </summary>
    public async Task<LocalDocument> AcceptAsync(MessageId invitation, CancellationToken cancellationToken = default)
    {
        var document = await _home.DoAsync(
            () => _home.Database.Write(() =>
            {
                var stored = FindInvitation(invitation);
                var (from, accepted) = (stored.From, stored.Invitation);
                _home.Replica.Join(accepted.Document);
                Relocations.Take(_home, from, accepted);
                _home.People.Answer(invitation);
                if (_home.People.FindCard(from.Account)?.Url is null) _home.People.SaveCard(from, accepted.Servers.Count > 0 ? accepted.Servers[0].Url : null);
                _mailbox.EnqueueToken(from);
                return accepted.Document;
            }),
            cancellationToken);
        _home.NotifyEdited();
        return new(_home, document);
    }

    /// <summary>Declines an invitation; nobody is told. <c>invite-not-found</c>.</summary>
    /// <returns>The document that is declined.</returns>
    public Task<DocId> DeclineAsync(MessageId invitation, CancellationToken cancellationToken = default) => _home.DoAsync(
        () =>
        {
            var declined = FindInvitation(invitation);
            _home.People.Answer(declined.Id);
            return declined.Invitation.Document;
        },
        cancellationToken);

    private async Task<AccountCard> ResolveAsync(
        string? url, Func<KnownCard?> known, Func<CloudpeerConnection, CancellationToken, Task<AccountCard?>> ask, CancellationToken cancellationToken)
    {
        if (await _home.DoAsync(known, cancellationToken) is { } here)
        {
            if (url is not null) _home.Do(() => _home.People.SaveCard(here.Card, url));
            return here.Card;
        }

        (string Url, PeerId? Server)[] servers = url is not null ? [(url, null)] : [.. (await CloudpeersAsync(cancellationToken)).Select(own => (own.Url, (PeerId?)own.Server))];
        TlfsException? problem = null;
        foreach (var server in servers)
        {
            try
            {
                await using var connection = await _connector.ConnectAsync(server.Url, server.Server, cancellationToken);
                if (await ask(connection, cancellationToken) is not { } card) continue;
                _home.Do(() => _home.People.SaveCard(card, server.Url));
                return card;
            }
            catch (TlfsException e)
            {
                problem = e;
            }
        }

        const string Advice = "nobody here knows that person: name a cloudpeer that does, as acct_…@URL, or let the person add one of yours";
        throw problem is null ? new TlfsException(Reason.CardUnknown, Advice) : new TlfsException(Reason.CardUnknown, $"{Advice} ({problem.Message})", problem);
    }

    private Invitation MakeInvitation(AccountCard who, DocId id, string note)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(note) > Limits.NoteBytes) throw new TlfsException(Reason.TooLarge, $"a note has at most {Limits.NoteBytes} bytes");
        var document = _home.Replica.Open(id);
        var grant = document.Policy.Grants.FirstOrDefault(each =>
            each.Holds && each.Permission >= Permission.Read && each.Actor is AccountActor person && person.Account == who.Account)
            ?? throw new TlfsException(Reason.GrantRefused, "that person may not read the document yet; grant first, then invite");
        var servers = Targets.Of(_home, id);
        if (servers.Count == 0) throw new TlfsException(Reason.CloudpeerNotFound, "no cloudpeer holds this document; add one first with: cloudpeer add URL");
        var heads = servers.Select(server => _home.Custody.Head(new(id, server.Server))).OfType<LogHead>();
        return new(
            id,
            [.. servers.Select(server => new InvitedServer(server.Server, server.Url))],
            grant.Id,
            document.CarriedName ?? string.Empty,
            note,
            [.. heads.Select(head => new PinnedHead(head.Server, head.Size, head.Root))],
            PolicyHeads(document))
        {
            Token = _home.Contacts.Own(),
        };
    }

    // The statements that no other statement has seen.
    private static EnvelopeId[] PolicyHeads(Core.Documents.Document document)
    {
        var statements = document.Log.Where(held => held.Statement is not null).ToArray();
        var seen = statements.SelectMany(held => held.Envelope.Header.Auth).ToHashSet();
        return [.. statements.Select(held => held.Envelope.Id).Where(id => !seen.Contains(id)).Order().Take(Limits.Auth)];
    }

    private StoredInvitation FindInvitation(MessageId id) => _home.People.OpenInvitations().FirstOrDefault(invitation => invitation.Id == id)
        ?? throw new TlfsException(Reason.InviteNotFound, "no invitation with that id waits here; list them with: invites");

    private static ReceivedInvitation Show(StoredInvitation stored) => new(
        stored.Id,
        stored.From,
        stored.Invitation.Document,
        stored.Invitation.Schema,
        stored.Invitation.Note,
        [.. stored.Invitation.Servers.Select(server => server.Url)],
        UnixMicros.ToInstant(stored.Micros));

    private async Task FetchAsync(CloudpeerState cloudpeer, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await _connector.ConnectAsync(cloudpeer.Url, cloudpeer.Server, cancellationToken);
            await _mailbox.FetchAsync(connection, cancellationToken);
        }
        catch (TlfsException e) when (e.IsTransient)
        {
            // What is known here is shown; the next call asks again.
        }
    }
}
