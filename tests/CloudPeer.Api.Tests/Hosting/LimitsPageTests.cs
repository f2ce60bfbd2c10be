using System.Reflection;
using CloudPeer.Api.Accounts;
using CloudPeer.Api.Hosting;
using CloudPeer.Api.Inbox;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

/// <summary>The page of limits leaves none out. That each of its rows names a test is checked by the architecture tests.</summary>
public sealed class LimitsPageTests
{
    private static readonly string Page = File.ReadAllText(RepositoryRoot.PathOf("docs", "operations", "limits.md"));

    [Theory]
    [InlineData(typeof(ServerLimits))]
    [InlineData(typeof(InboxLimits))]
    [InlineData(typeof(RelayLimits))]
    [InlineData(typeof(AccountLimits))]
    public void Every_limit_has_a_row(Type limits)
    {
        var names = limits.GetMembers(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(member => member is FieldInfo or PropertyInfo).Select(member => $"`{limits.Name}.{member.Name}`").ToList();

        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.Contains(name, Page, StringComparison.Ordinal));
    }
}
