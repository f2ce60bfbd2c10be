using System.Collections;
using System.Reflection;
using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Documents;
using Xunit;

namespace Tlfs.Core.Tests.Sealing.Keys;

/// <summary>Keys are zeroed by whoever owns them, and no text shows one.</summary>
public sealed class SecretsTests
{
    private static readonly Type[] Secrets = [typeof(SecretKey), typeof(SigningKey), typeof(KemKey)];

    // Types with a key that is somebody else's: a part's epoch key is the keyring's, as are those of an epoch.
    private static readonly Type[] Borrowers = [typeof(PartDraft), typeof(Epoch)];

    [Fact]
    public void Every_type_that_holds_a_key_disposes_it()
    {
        var holders = typeof(SecretKey).Assembly.GetTypes().Where(type => !type.Name.Contains('<') && Fields(type).Any(field => Mentions(field.FieldType))).ToArray();
        Assert.Contains(typeof(SigningKey), holders);
        Assert.Contains(typeof(Keyring), holders);
        foreach (var holder in holders.Except(Borrowers)) Assert.True(holder.IsAssignableTo(typeof(IDisposable)), holder.FullName);
    }

    [Fact]
    public void Dispose_zeroes_every_key()
    {
        var entropy = new SeededEntropy(97);
        using var keys = Frozen();
        using var ring = new Keyring(new(new(entropy.Bytes(32))), People.Ann);
        foreach (var number in (int[])[1, 2]) ring.Add(new(new(entropy.Bytes(32))), ring.NewEpoch(entropy, ZoneId.Root, [new(People.Ann.Card)]));
        foreach (var (holder, least) in ((IDisposable, int)[])[
            (SecretKey.Random(entropy), 1), (SigningKey.Generate(entropy), 2), (KemKey.Generate(entropy), 1), (keys, 3), (RecoveryPhrase.Generate(entropy), 1), (ring, 4)])
        {
            var held = new HashSet<SecretKey>();
            Collect(holder, held, []);
            Assert.True(held.Count >= least, holder.GetType().Name);
            foreach (var key in held) Assert.Contains(Bytes(key), each => each != 0);
            holder.Dispose();
            foreach (var key in held) Assert.DoesNotContain(Bytes(key), each => each != 0);
        }
    }

    [Fact]
    public void A_keyring_zeroes_what_it_forgets()
    {
        var entropy = new SeededEntropy(98);
        using var ring = new Keyring(new(new(entropy.Bytes(32))), People.Ann);
        ring.Add(new(new(entropy.Bytes(32))), ring.NewEpoch(entropy, ZoneId.Root, [new(People.Ann.Card)]));
        var held = new HashSet<SecretKey>();
        Collect(ring, held, []);
        Assert.Equal(2, held.Count);
        ring.Reset();
        ring.ForgetFormer();
        foreach (var key in held) Assert.DoesNotContain(Bytes(key), each => each != 0);
    }

    [Fact]
    public void No_text_shows_a_key()
    {
        var entropy = new SeededEntropy(99);
        using var keys = Frozen();
        using var phrase = RecoveryPhrase.Generate(entropy);
        using var ring = new Keyring(new(new(entropy.Bytes(32))), People.Ann);
        ring.Add(new(new(entropy.Bytes(32))), ring.NewEpoch(entropy, ZoneId.Root, [new(People.Ann.Card)]));
        using var key = SecretKey.Random(entropy);
        var epoch = new Epoch(default, new(ZoneId.Root, 0, [], default, default, [], [])) { Content = key, History = key };
        foreach (var holder in (object[])[key, keys, keys.Device, keys.Kem, phrase, ring, epoch, new PartDraft(ZoneId.Root, default, key, new(default, []))])
        {
            var held = new HashSet<SecretKey>();
            Collect(holder, held, []);
            Assert.NotEmpty(held);
            foreach (var secret in held)
            {
                Assert.DoesNotContain(Convert.ToHexString(Bytes(secret)), holder.ToString()!, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain(Convert.ToBase64String(Bytes(secret))[..^1], holder.ToString()!, StringComparison.Ordinal);
            }
        }
    }

    private static AccountKeys Frozen() => AccountKeys.TryDecode(Golden.Frozen.Bytes("account-b-keys"), out var keys) ? keys! : throw new InvalidOperationException();

    private static bool Mentions(Type type) => Secrets.Contains(type) || (type.IsGenericType && type.GetGenericArguments().Any(Mentions)) || (type.IsArray && Mentions(type.GetElementType()!));

    private static FieldInfo[] Fields(Type type) => type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public);

    private static byte[] Bytes(SecretKey key) => (byte[])typeof(SecretKey).GetField("_bytes", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(key)!;

    // What an object reaches by its fields and collections; the account that a keyring works for is not its own.
    private static void Collect(object? from, HashSet<SecretKey> held, HashSet<object> visited)
    {
        if (from is null || from is string || from.GetType().IsPrimitive || !visited.Add(from)) return;
        if (from is SecretKey key)
        {
            held.Add(key);
            return;
        }

        if (from is IEnumerable items)
            foreach (var item in items) Collect(item, held, visited);
        if (from is DictionaryEntry entry) Collect(entry.Value, held, visited);
        else if (from.GetType() is { IsGenericType: true } pair && pair.GetGenericTypeDefinition() == typeof(KeyValuePair<,>)) Collect(pair.GetProperty("Value")!.GetValue(from), held, visited);
        if (from.GetType().Assembly != typeof(SecretKey).Assembly) return;
        foreach (var field in Fields(from.GetType()))
            if (!field.FieldType.IsByRefLike && !field.FieldType.IsValueType && !(from is Keyring && field.FieldType == typeof(AccountKeys))) Collect(field.GetValue(from), held, visited);
    }
}
