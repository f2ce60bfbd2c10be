using CloudPeer.Api.Data;
using CloudPeer.Api.Hosting.Measurements;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using Microsoft.EntityFrameworkCore;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Api.Inbox;

/// <summary>Bounded, durable queues of sealed messages, two per account: of contacts and of strangers (docs/protocol/sync.md §4).</summary>
internal sealed class InboxStore(IDbContextFactory<HostDatabase> databases, TimeProvider clock, HostMetrics metrics)
{
    private const int PageMessages = 16;
    private static readonly TimeSpan FullRetryAfter = TimeSpan.FromHours(1);

    /// <summary>Keeps a message until it is acknowledged or expires; the same message twice is one. Neither kind of senders takes room from the other.</summary>
    /// <param name="message">The message.</param>
    /// <param name="sender">Whose session brings it.</param>
    /// <param name="isContact">True if the sender presented the recipient's delivery token.</param>
    /// <param name="perAccount">How many of either kind may wait for the recipient at most.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RefusedException"><see cref="Reason.InboxFull"/>.</exception>
    public async Task AddAsync(SealedMessage message, PeerId sender, bool isContact, int perAccount, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        await LockAsync(database, message.To, cancellationToken);
        var id = message.Id;
        var waiting = Waiting(database, message.To);
        if (await waiting.AnyAsync(other => other.Id == id, cancellationToken)) return;
        var queue = waiting.Where(other => other.IsContact == isContact);
        var depth = await queue.CountAsync(cancellationToken);
        metrics.Sent(depth, isContact);
        if (!await HasRoomAsync(queue, depth, message, sender, isContact, perAccount, cancellationToken))
            throw new RefusedException(new(Reason.InboxFull, "too many messages wait for this account already") { RetryAfter = FullRetryAfter });

        // An expired copy that the cleanup has not met yet would be in the way.
        await database.Set<InboxMessage>().Where(other => other.Account == message.To && other.Id == id).ExecuteDeleteAsync(cancellationToken);
        database.Add(new InboxMessage
        {
            Account = message.To,
            Id = id,
            Sender = sender,
            IsContact = isContact,
            Bytes = message.Bytes.ToArray(),
            ReceivedMicros = (long)clock.Micros(),
        });
        await database.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>How many messages of contacts wait for an account.</summary>
    public async Task<int> CountAsync(AccountId account, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await Waiting(database, account).CountAsync(message => message.IsContact, cancellationToken);
    }

    /// <summary>What waits for an account, oldest first, read page by page.</summary>
    public async IAsyncEnumerable<InboxMessage> ReadAsync(
        AccountId account, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = 0L;
        while (true)
        {
            List<InboxMessage> page;
            await using (var database = await databases.CreateDbContextAsync(cancellationToken))
            {
                page = await Waiting(database, account).Where(message => message.Number > after)
                    .OrderBy(message => message.Number).Take(PageMessages).ToListAsync(cancellationToken);
            }

            foreach (var message in page) yield return message;
            if (page.Count < PageMessages) yield break;
            after = page[^1].Number;
        }
    }

    /// <summary>Deletes messages of an account and says how many there were.</summary>
    public async Task<int> DeleteAsync(AccountId account, IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Set<InboxMessage>().Where(message => message.Account == account && ids.Contains(message.Id)).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Deletes what has waited too long and says how many there were.</summary>
    public async Task<int> DeleteExpiredAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var oldest = OldestMicros();
        return await database.Set<InboxMessage>().Where(message => message.ReceivedMicros < oldest).ExecuteDeleteAsync(cancellationToken);
    }

    private static async Task<bool> HasRoomAsync(
        IQueryable<InboxMessage> queue, int depth, SealedMessage message, PeerId sender, bool isContact, int perAccount, CancellationToken cancellationToken)
    {
        var (total, share, bytes) = isContact
            ? (InboxLimits.Contacts, InboxLimits.PerContact, InboxLimits.ContactBytes)
            : (InboxLimits.Strangers, InboxLimits.PerStranger, InboxLimits.StrangerBytes);
        return depth < Math.Min(total, perAccount)
            && await queue.CountAsync(other => other.Sender == sender, cancellationToken) < share
            && await queue.SumAsync(other => other.Bytes.Length, cancellationToken) + message.Bytes.Length <= bytes;
    }

    // The update of the account's row makes other senders to it wait until this transaction ends, on both databases.
    private static async Task LockAsync(HostDatabase database, AccountId account, CancellationToken cancellationToken)
    {
        var bytes = account.Value.ToArray();
        await database.Database.ExecuteSqlAsync(
            $"INSERT INTO inbox (account, received) VALUES ({bytes}, 1) ON CONFLICT (account) DO UPDATE SET received = inbox.received + 1", cancellationToken);
    }

    private IQueryable<InboxMessage> Waiting(HostDatabase database, AccountId account)
    {
        var oldest = OldestMicros();
        return database.Set<InboxMessage>().AsNoTracking().Where(message => message.Account == account && message.ReceivedMicros >= oldest);
    }

    private long OldestMicros() => (long)(clock.GetUtcNow() - InboxLimits.Kept).ToMicros();
}
